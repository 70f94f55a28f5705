"""Signed messages and statements, and the typed data that wallets sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from registry.base.primitives import Bytes32
from registry.ethereum.eip712 import Domain, Signable
from registry.rooms.deployment import Deployment

AnySigned = TypeVar("AnySigned", bound=Signable)
AnySigned_co = TypeVar("AnySigned_co", bound=Signable, covariant=True)


@dataclass(frozen=True, slots=True)
class Signed(Generic[AnySigned_co]):
    """A message or statement with its signature.

    Args:
        message: The message or statement.
        signature: 65 bytes (r, s, v), or what the account's contract wallet accepts.
    """

    message: AnySigned_co
    signature: bytes

    def body(self) -> dict[str, object]:
        """Return the JSON that is sent."""
        return {"message": self.message.to_json(), "signature": f"0x{self.signature.hex()}"}


def domain_of(signable: Signable, deployment: Deployment) -> Domain:
    """Return the EIP-712 domain that a message or statement is signed under.

    Raises:
        NotFound: The deployment does not have the contract.
    """
    return Domain(signable.CONTRACT, deployment.chain_id, deployment.address_of(signable.CONTRACT))


def typed_data(signable: Signable, deployment: Deployment) -> dict[str, Any]:
    """Return the JSON that a wallet's eth_signTypedData_v4 takes.

    Raises:
        NotFound: The deployment does not have the contract.
    """
    return signable.typed_data(domain_of(signable, deployment))


def sign(signable: AnySigned, deployment: Deployment, signer: Callable[[Bytes32], bytes]) -> Signed[AnySigned]:
    """Sign a message or statement.

    Args:
        signable: The message or statement.
        deployment: The contracts and the chain that it is for.
        signer: Return the signature of a digest, for example the `sign` of a `registry.keys.signer.Signer`.

    Raises:
        NotFound: The deployment does not have the contract.
    """
    return Signed(signable, signer(signable.digest(domain_of(signable, deployment))))
