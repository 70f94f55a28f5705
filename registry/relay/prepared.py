"""A signed message as it is received, with all values that follow from its bytes alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Self

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.chain.calls import ECDSA_SIGNATURE_BYTES, calldata, gas_limit
from registry.ethereum.eip712 import Domain, Message
from registry.relay.signatures import normal_form, recover
from registry.rooms.deployment import Deployment
from registry.rooms.protocol import Protocols

MAX_SIGNATURE_BYTES = 4096
MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class PreparedTransaction:
    """A message that is ready to be sent, with the values that follow from it.

    Args:
        message: The message.
        digest: The EIP-712 digest that was signed.
        signer: The account whose key signed, if it is an ECDSA signature; None otherwise. A contract's signature may
            look like one.
        signature: The signature in its normal form, or as it was given if it may be a contract's.
        given: The signature as it was given.
        contract: The contract that the transaction calls.
        calldata: The transaction's input.
        gas: The transaction's gas limit.
        identity: The input with the signature in its normal form: equal for all forms of one signature.
    """

    message: Message
    digest: Bytes32
    signer: Address | None
    signature: bytes
    given: bytes
    contract: Address
    calldata: bytes
    gas: int
    identity: bytes

    def how_to_send(self) -> str:
        """Return one sentence that says how to put the message on the chain without a relayer."""
        message = self.message
        return (
            f"Any account may send it: call {message.FUNCTION} of the {message.CONTRACT} at {self.contract} with this"
            " message and this signature, from an account that pays for the gas."
        )

    def as_given(self) -> Self:
        """Return a copy with the signature as it was given, for a contract wallet that accepts only that form."""
        call = calldata(self.message, self.given)
        return replace(self, signature=self.given, calldata=call, gas=gas_limit(self.message, self.given, call))


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key that a client chose so that it can repeat a request.

    Args:
        key: 1 to 255 visible ASCII characters.
        documents: The names of the attached documents. The message binds their content by its hashes.

    Raises:
        InvalidInput: The key has another form.
    """

    key: str
    documents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= MAX_KEY_CHARACTERS or not all("!" <= character <= "~" for character in self.key):
            raise InvalidInput(f"An idempotency key has 1 to {MAX_KEY_CHARACTERS} visible ASCII characters.")

    def body(self, prepared: PreparedTransaction) -> Bytes32:
        """Return the SHA-256 of the request that the key identifies: message, signature, and names of documents."""
        return Bytes32(sha256(prepared.identity + ",".join(self.documents).encode()).digest())


def prepare(message: Message, signature: bytes, deployment: Deployment, protocols: Protocols) -> PreparedTransaction:
    """Return the transaction for a message. Does not check whether the contract will accept it.

    Args:
        message: The message.
        signature: An ECDSA signature in any of its forms (`registry.relay.signatures`), or a signature that the
            owner's contract accepts (ERC-1271); at most 4096 bytes.
        deployment: The contracts.
        protocols: The offline halves of the rooms.

    Raises:
        InvalidInput: The signature is empty or too long.
        NotFound: This registry does not have the message's contract.
    """
    if not 1 <= len(signature) <= MAX_SIGNATURE_BYTES:
        raise InvalidInput(
            f"A signature has {ECDSA_SIGNATURE_BYTES} bytes, or at most {MAX_SIGNATURE_BYTES} if the owner is a"
            f" contract, but {len(signature)} were given."
        )
    contract = deployment.address_of(message.CONTRACT)
    digest = message.digest(Domain(message.CONTRACT, deployment.chain_id, contract))
    normal = normal_form(signature)
    signer = None if normal is None else recover(digest, normal)
    sent = normal if normal and signer and protocols.named_signer(message) in (None, signer) else signature
    call = calldata(message, sent)
    return PreparedTransaction(
        message, digest, signer, sent, signature, contract, call, gas_limit(message, sent, call), call
    )
