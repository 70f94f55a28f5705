"""A small world to relay in: owners who sign, messages to sign, and a relayer whose clock can be moved."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_keys import keys
from sqlalchemy import select

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.chain.calls import calldata
from registry.chain.client import Chain
from registry.chain.history import block_at
from registry.ethereum.eip712 import Domain, Message
from registry.relay.deploy import ensure_deployed
from registry.relay.fees import Fees
from registry.relay.intake import accept
from registry.relay.prepared import IdempotencyKey, PreparedTransaction, prepare
from registry.relay.receipts import Receipt, Status, read_receipt
from registry.relay.receiver import MessageReceiver
from registry.relay.relayer import Relayer
from registry.relay.settings import RelaySettings
from registry.relay.signing import Payload, Signer
from registry.relay.tables import ATTEMPTS, NONCES
from registry.relay.terms import Terms
from registry.rooms.access.messages import AccessGrant, AccessRevocation
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import Registration, Revision
from registry.rooms.datasets.service import head_of
from registry.rooms.deployment import Deployment
from registry.storage.engine import Storage

RELAYER_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
"""The key that anvil funds by default; publicly known."""

SETTINGS = RelaySettings(finality=2, poll_seconds=0.02, resend_seconds=0.3, stuck_blocks=2, stale_seconds=1e9)
LATER = 2**40


class Owner:
    """An account with a key."""

    def __init__(self, seed: str) -> None:
        self._key = keys.PrivateKey(keccak256(seed.encode()))
        self.address = Address(self._key.public_key.to_canonical_address())

    def sign(self, message: Message, deployment: Deployment) -> bytes:
        domain = Domain(message.CONTRACT, deployment.chain_id, deployment.address_of(message.CONTRACT))
        return self.sign_digest(message.digest(domain))

    def sign_digest(self, digest: Bytes32) -> bytes:
        raw = self._key.sign_msg_hash(digest).to_bytes()
        return raw[:64] + bytes([raw[64] + 27])


OWNER = Owner("owner")


@dataclass
class World:
    """A chain, a database, and the components between them."""

    chain: Chain
    storage: Storage
    deployment: Deployment
    signer: Signer
    settings: RelaySettings = SETTINGS
    skew: float = 0.0
    made: int = field(default=0)

    @classmethod
    def make(cls, chain: Chain, storage: Storage, settings: RelaySettings = SETTINGS) -> World:
        signer = Signer(RELAYER_KEY)
        deployment = ensure_deployed(chain, storage, ROOMS, signer, settings, holder="world")
        return cls(chain, storage, deployment, signer, settings)

    def clock(self) -> float:
        return time.time() + self.skew

    def relayer(self, holder: str = "world", chain: Chain | None = None, **changed: object) -> Relayer:
        settings = RelaySettings(
            **{**{name: getattr(self.settings, name) for name in RelaySettings.__slots__}, **changed}
        )  # type: ignore[arg-type]
        return Relayer(
            chain or self.chain,
            self.storage,
            self.signer,
            self.deployment,
            settings,
            protocols=ROOMS.protocols,
            holder=holder,
            clock=self.clock,
        )

    def registration(self, name: str = "", owner: Owner = OWNER, deadline: int = LATER) -> Registration:
        self.made += 1
        return Registration(
            owner=owner.address,
            content_root=Bytes32(keccak256(f"{name}{self.made}".encode())),
            metadata_hash=ZERO_BYTES32,
            uri="ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55",
            salt=Bytes32(keccak256(b"salt")),
            sources=(),
            deadline=deadline,
        )

    def revision(self, dataset_id: DatasetId, head: Bytes32, deadline: int = LATER) -> Revision:
        self.made += 1
        return Revision(
            dataset_id=dataset_id,
            head=head,
            content_root=Bytes32(keccak256(f"revised {self.made}".encode())),
            metadata_hash=ZERO_BYTES32,
            uri="",
            sources=(),
            deadline=deadline,
        )

    def grant(self, dataset_id: DatasetId, epoch: int = 0) -> AccessGrant:
        return AccessGrant(
            dataset_id=dataset_id,
            grantee=Owner("grantee").address,
            rights=1,
            starts_at=0,
            expires_at=2**40,
            terms_hash=ZERO_BYTES32,
            epoch=epoch,
            deadline=LATER,
        )

    def revocation(self, dataset_id: DatasetId, epoch: int) -> AccessRevocation:
        return AccessRevocation(dataset_id=dataset_id, grantee=Owner("grantee").address, epoch=epoch, deadline=LATER)

    def accept(self, message: Message, owner: Owner = OWNER) -> Receipt:
        """Acknowledge without a rehearsal, as if the state had been different then."""
        return accept(self.storage, self.prepare(message, owner.sign(message, self.deployment)), self.clock())

    def prepare(self, message: Message, signature: bytes) -> PreparedTransaction:
        return prepare(message, signature, self.deployment, ROOMS.protocols)

    def submit(
        self,
        message: Message,
        owner: Owner = OWNER,
        key: str = "",
        *,
        signature: bytes | None = None,
        terms: Terms | None = None,
        clock: Callable[[], float] | None = None,
        **more: Any,
    ) -> Receipt:
        """Accept a message as a gateway does."""
        receiver = MessageReceiver(
            chain=self.chain,
            storage=self.storage,
            deployment=self.deployment,
            rooms=ROOMS,
            relayer=lambda: self.signer.address,
            clock=clock or self.clock,
            terms=terms,
        )
        prepared = self.prepare(message, signature or owner.sign(message, self.deployment))
        return receiver.submit(prepared, key=IdempotencyKey(key) if key else None, **more)

    def send_directly(self, message: Message, owner: Owner = OWNER) -> None:
        """Send a message directly to the chain, from another account."""
        data = calldata(message, owner.sign(message, self.deployment))
        nonce = int(self.chain.request("eth_getTransactionCount", [str(self.signer.address), "latest"]), 16)
        payload = Payload(self.deployment.address_of(message.CONTRACT), data, 1_000_000)
        transaction = self.signer.sign(self.deployment.chain_id, nonce, Fees(10**10, 10**9), payload)
        self.chain.request("eth_sendRawTransaction", [f"0x{transaction.raw.hex()}"])

    def receipt(self, receipt: Receipt) -> Receipt:
        return read_receipt(self.storage, receipt.id)

    def status(self, receipt: Receipt) -> Status:
        return self.receipt(receipt).status

    def head_of(self, dataset_id: DatasetId) -> Head:
        return head_of(self.chain, self.deployment, dataset_id, block_at(self.chain))

    def nonces(self) -> list[int]:
        with self.storage.read() as connection:
            return list(connection.execute(select(NONCES.c.nonce).order_by(NONCES.c.nonce)).scalars())

    def attempts(self, nonce: int) -> int:
        with self.storage.read() as connection:
            return len(connection.execute(select(ATTEMPTS.c.number).where(ATTEMPTS.c.nonce == nonce)).all())
