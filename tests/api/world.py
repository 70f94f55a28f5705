"""A gateway that answers over real HTTP, from a real chain and a real database; and an owner who signs messages."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from api.listener import listen, url_of
from api.rooms.catalogue import GATEWAY_ROOMS
from api.rooms.room import GatewayRoom
from api.server import Server, configuration
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.chain.client import Chain
from registry.config import Settings
from registry.devchain.embedded import EmbeddedChain
from registry.ethereum.eip712 import Domain, Message
from registry.keys.signer import Signer as Owner
from registry.manifest import Entry, Manifest
from registry.node import Node, Role
from registry.node.assembly import NodeParts, holder, relay_settings
from registry.relay.deploy import ensure_deployed
from registry.relay.signing import Signer
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.statements import DatasetStatement, Publication
from registry.rooms.deployment import Deployment
from registry.storage import migrate, open_storage
from tests.fixtures.databases import ensure_migrated_sqlite
from tests.fixtures.finality import LateFinality
from tests.fixtures.waiting import PATIENCE, eventually

RELAYER_SECRET = keccak256(b"a relayer's key for tests")
FAR = 4_000_000_000
"""A deadline in the year 2096."""

_numbers = itertools.count(1)


def owner(name: str) -> Owner:
    """Return an owner whose key is derived from the name."""
    return Owner(keccak256(name.encode()))


OWNER, STRANGER, ANALYST = owner("owner"), owner("stranger"), owner("analyst")


@dataclass(frozen=True)
class Gateway:
    """A running gateway.

    Args:
        node: The node behind it.
        http: A client of it.
    """

    node: Node
    http: httpx.Client
    tags: Iterator[int] = field(default_factory=lambda: _numbers)

    @property
    def deployment(self) -> Deployment:
        return self.node.deployment

    def signature(
        self, message: Message | DatasetStatement, by: Owner = OWNER, deployment: Deployment | None = None
    ) -> str:
        where = deployment or self.deployment
        domain = Domain(message.CONTRACT, where.chain_id, where.address_of(message.CONTRACT))
        return f"0x{by.sign(message.digest(domain)).hex()}"

    def body(self, message: Message | DatasetStatement, by: Owner = OWNER, **documents: Any) -> dict[str, Any]:
        """A body; where documents are given, with the signer's publication of them."""
        body = {"message": message.to_json(), "signature": self.signature(message, by)} | documents
        if documents and isinstance(message, Registration | Revision):
            body["publication"] = self.body(self.publication(message, documents), by)
        return body

    def publication(self, message: Registration | Revision, documents: Collection[str]) -> Publication:
        """The publication of documents of the version that a message makes."""
        return Publication(
            dataset_id=message.dataset_id,
            version=1 if isinstance(message, Registration) else Head(message.head).version + 1,
            content_root=message.content_root if "manifest" in documents else ZERO_BYTES32,
            metadata_hash=message.metadata_hash if "metadata" in documents else ZERO_BYTES32,
            deadline=message.deadline,
        )

    def registration(self, **changed: Any) -> Registration:
        values: dict[str, Any] = {
            "owner": OWNER.address,
            "content_root": Bytes32(keccak256(b"content %d" % next(self.tags))),
            "metadata_hash": ZERO_BYTES32,
            "uri": "",
            "salt": ZERO_BYTES32,
            "sources": (),
            "deadline": FAR,
        }
        return Registration(**(values | changed))

    def send(self, message: Message, by: Owner = OWNER, **documents: Any) -> httpx.Response:
        return self.http.post(path_of(message), json=self.body(message, by, **documents))

    def settle(self, message: Message, by: Owner = OWNER, **documents: Any) -> dict[str, Any]:
        """Sends a message and waits until it is mined and indexed."""
        answer = self.send(message, by, **documents)
        assert answer.status_code == 202, answer.text
        receipt = self.ended(answer.json()["id"])
        assert receipt["failure"] is None, receipt
        self.wait_for_index(receipt["blockNumber"])
        return dict(receipt)

    def ended(self, receipt_id: str) -> dict[str, Any]:
        """Return a receipt once it is no longer underway."""

        def look() -> dict[str, Any] | None:
            receipt = self.http.get(f"/v1/receipts/{receipt_id}", params={"wait": 30}).json()
            return dict(receipt) if receipt["status"] in ("mined", "final", "failed") else None

        return eventually(look)

    def wait_for_index(self, height: int) -> None:
        listing = {"limit": 1}
        eventually(lambda: self.http.get("/v1/datasets", params=listing).json().get("asOfBlock", -1) >= height)

    def register(self, by: Owner = OWNER, **changed: Any) -> DatasetId:
        message = self.registration(owner=by.address, **changed)
        self.settle(message, by)
        return message.dataset_id

    def head(self, dataset_id: DatasetId) -> Bytes32:
        return Bytes32.parse(self.http.get(f"/v1/datasets/{dataset_id}").json()["head"])

    def revision(self, dataset_id: DatasetId, head: Bytes32, **changed: Any) -> Revision:
        values: dict[str, Any] = {
            "dataset_id": dataset_id,
            "head": head,
            "content_root": Bytes32(keccak256(b"content %d" % next(self.tags))),
            "metadata_hash": ZERO_BYTES32,
            "uri": "",
            "sources": (),
            "deadline": FAR,
        }
        return Revision(**(values | changed))


def transfer(dataset_id: DatasetId, head: Bytes32, to: Address) -> TitleTransfer:
    return TitleTransfer(dataset_id=dataset_id, head=head, to=to, deadline=FAR)


def withdrawal(dataset_id: DatasetId, head: Bytes32, reason: str = "") -> Withdrawal:
    return Withdrawal(dataset_id=dataset_id, head=head, reason=reason, deadline=FAR)


def request(dataset_id: DatasetId, requests: int = 0, purpose: str = "a study") -> AccessRequest:
    return AccessRequest(
        dataset_id=dataset_id,
        grantee=ANALYST.address,
        rights=1,
        expires_at=FAR,
        purpose=purpose,
        requests=requests,
        deadline=FAR,
    )


def grant(dataset_id: DatasetId, epoch: int = 0, *, rights: int = 3, expires_at: int = FAR) -> AccessGrant:
    return AccessGrant(
        dataset_id=dataset_id,
        grantee=ANALYST.address,
        rights=rights,
        starts_at=0,
        expires_at=expires_at,
        terms_hash=ZERO_BYTES32,
        epoch=epoch,
        deadline=FAR,
    )


def revocation(dataset_id: DatasetId, epoch: int) -> AccessRevocation:
    return AccessRevocation(dataset_id=dataset_id, grantee=ANALYST.address, epoch=epoch, deadline=FAR)


def path_of(message: Message) -> str:
    """Where a message is sent to."""
    if isinstance(message, Registration):
        return "/v1/datasets"
    rooms = {
        Revision: "versions",
        TitleTransfer: "transfers",
        Withdrawal: "withdrawals",
        AccessRequest: "requests",
        AccessGrant: "grants",
        AccessRevocation: "revocations",
    }
    return f"/v1/datasets/{message.dataset_id}/{rooms[type(message)]}"


def manifest_of(**files: bytes) -> Manifest:
    """The manifest of some small files."""
    return Manifest.of(
        Entry(f"{name}.csv", Bytes32(hash_of(content)), len(content), None) for name, content in files.items()
    )


def hash_of(content: bytes) -> Bytes32:
    """SHA-256, as a value."""
    return Bytes32(sha256(content).digest())


@contextmanager
def open_node(folder: Path, *, chain: Chain | None = None, start: bool = True, **settings: Any) -> Iterator[Node]:
    """A node over a chain in memory, which makes a block of each transaction at once.

    It signs one checkpoint when it starts, and by itself no other.
    """
    told = Settings(**{"data": folder, "poll_seconds": 0.02, "checkpoint_seconds": 86_400.0} | settings)
    signer = Signer(RELAYER_SECRET)
    chain = chain or EmbeddedChain.in_memory(signer.address)
    if told.database == f"sqlite:///{folder}/registry.db":
        ensure_migrated_sqlite(folder / "registry.db")
    storage = open_storage(told.database)
    migrate(storage)
    deployment = ensure_deployed(chain, storage, ROOMS, signer, relay_settings(told), holder=holder(told))
    node = Node(NodeParts(told, Role.ALL, chain, storage, deployment, signer, finality=LateFinality(told.finality)))
    if start:
        node.start()
    try:
        yield node
    finally:
        node.close()
        storage.close()
        chain.close()


@contextmanager
def running(node: Node, rooms: Sequence[GatewayRoom] = GATEWAY_ROOMS) -> Iterator[Gateway]:
    """The node's app on a port of its own."""
    listener = listen("127.0.0.1", 0)
    ready = threading.Event()
    server = Server(configuration(node, rooms), node, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        with httpx.Client(base_url=url_of(listener), timeout=PATIENCE, trust_env=False) as client:
            yield Gateway(node, client)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
