"""The public facts about a gateway and its victim that strangers know."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.ethereum.eip712 import Domain, Signable
from registry.keys.signer import Signer
from registry.rooms.access.messages import AccessRequest
from registry.rooms.datasets.messages import Registration
from registry.sdk.signing import AnySigned, Signed

FAR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway and a victim.

    Args:
        url: The gateway's address.
        chain_id: Its chain.
        contracts: The addresses by name.
        small: The victim's dataset with a few files.
        large: The victim's dataset with many files.
        large_path: The path of one of its files.
        large_root: Its content root.
        registration: The message of the small dataset, which is public on the chain.
        signature: Its signature, 0x hex, also public.
        metadata: Its metadata, which the owner did not publish.
        deadline: The deadline of new messages, Unix seconds.
    """

    url: str
    chain_id: int
    contracts: Mapping[str, Address]
    small: DatasetId
    large: DatasetId
    large_path: str
    large_root: Bytes32
    registration: Registration
    signature: str
    metadata: Mapping[str, Any]
    deadline: int

    def body(self, message: Signable, by: Signer, **documents: Any) -> dict[str, Any]:
        """Return the body of a write, signed."""
        return {**self.signed(message, by).body(), **documents}

    def signed(self, message: AnySigned, by: Signer) -> Signed[AnySigned]:
        """Return a message with its signature."""
        domain = Domain(message.CONTRACT, self.chain_id, self.contracts[message.CONTRACT])
        return Signed(message, by.sign(message.digest(domain)))

    def registration_of(self, owner: Address, chance: random.Random) -> Registration:
        """Return a registration of new content."""
        return Registration(
            owner=owner,
            content_root=Bytes32(chance.randbytes(32)),
            metadata_hash=ZERO_BYTES32,
            uri="",
            salt=Bytes32(chance.randbytes(32)),
            sources=(),
            deadline=self.deadline,
        )

    def request(self, by: Signer, number: int) -> AccessRequest:
        """Return a request for access to the victim's small dataset."""
        return AccessRequest(
            dataset_id=self.small,
            grantee=by.address,
            rights=1,
            expires_at=self.deadline + FAR_SECONDS,
            purpose="x" * 500,
            requests=number,
            deadline=self.deadline,
        )


def account(name: str) -> Signer:
    """Return an account whose key is derived from a name."""
    return Signer(keccak256(name.encode()))
