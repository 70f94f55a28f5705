"""Measure the index: its synchronisation from the first block, and its queries.

Sync: 50,000 events of both contracts on anvil, into SQLite and into PostgreSQL (both waiting for the disk at each
commit), beside web3.py's `get_logs` on the same chain in the same run. web3.py only reads and decodes there; ours also
checks that the blocks are linked and that no log is missing, folds each dataset's head, and stores all of it.

Queries: an index of 100,000 datasets, by name, words, owner and hash; each answer is made up to its JSON.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import orjson
from web3 import Web3

from api import shapes
from api.rooms.datasets.shapes import claims, item
from api.shapes import Json
from registry.artifacts import artifact
from registry.base.primitives import Address, Bytes32, keccak256
from registry.chain.calls import calldata
from registry.chain.rpc import RpcChain
from registry.ethereum.abi import left_padded
from registry.ethereum.eip712 import Message
from registry.index.sync import Indexer
from registry.rooms.access.messages import AccessGrant
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.claims import find_claims
from registry.rooms.datasets.head import NO_HEAD
from registry.rooms.datasets.messages import Registration, Revision
from registry.rooms.datasets.search import DatasetFilter, find_datasets
from registry.rooms.deployment import Deployment
from registry.storage import Storage, migrate, open_storage
from scripts import seed_index
from scripts.anvil import anvil
from scripts.figures import Figure
from scripts.postgresql import PostgreSQLServer

EVENTS: Final = 50_000
EVENTS_OF_A_DATASET: Final = 4
"""ERC-721's Transfer, Registered, Revised, AccessGranted."""
BLOCK_DATASETS: Final = 50
ROUNDS: Final = 3
DATASETS: Final = 100_000
ASKED: Final = 1_000
SYNC_GOAL: Final = 10.0
QUERY_GOAL_MS: Final = 25.0
GAS: Final = 400_000
URI: Final = "https://data.example.org/datasets/0123456789abcdef/meta.json"
LATER: Final = 2**40


def run() -> Iterator[Figure]:
    """Yield the figures. Takes some minutes, most of them to fill the chain and the index."""
    yield from _sync()
    yield from _questions()


def _sync() -> Iterator[Figure]:
    with ExitStack() as stack:
        w3 = stack.enter_context(anvil(options=()))
        chain = RpcChain([str(w3.provider.endpoint_uri)], timeout=120.0)  # type: ignore[attr-defined]
        stack.callback(chain.close)
        server = PostgreSQLServer(fsync=True)
        stack.callback(server.remove)
        deployment = _fill(chain, EVENTS // EVENTS_OF_A_DATASET)
        seconds: dict[str, list[float]] = {"SQLite": [], "PostgreSQL": [], "web3.py": []}
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                seconds["SQLite"].append(_index(chain, deployment, f"sqlite:///{folder}/registry.db"))
            seconds["PostgreSQL"].append(_index(chain, deployment, server.create()))
            seconds["web3.py"].append(_by_web3(w3, deployment))
    peer = EVENTS / statistics.median(seconds["web3.py"])
    for database in ("SQLite", "PostgreSQL"):
        ours = EVENTS / statistics.median(seconds[database])
        yield Figure(
            name=f"index: sync from scratch into {database}",
            value=round(ours),
            unit="events/s",
            peer="web3.py get_logs, decoding alone",
            peer_value=round(peer),
            ratio=round(ours / peer, 2),
            goal=f">= {SYNC_GOAL:g}x",
            met=ours / peer >= SYNC_GOAL,
        )


def _questions() -> Iterator[Figure]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = PostgreSQLServer()
        stack.callback(server.remove)
        for database, url in (("SQLite", f"sqlite:///{folder}/registry.db"), ("PostgreSQL", server.create())):
            storage = _opened(url)
            seed_index.seed(storage, DATASETS)
            for question, answer in _asked(storage).items():
                slowest = _p99(answer)
                yield Figure(
                    name=f"index: {question} among {DATASETS:,} datasets, {database}, p99",
                    value=round(slowest, 2),
                    unit="ms",
                    goal=f"<= {QUERY_GOAL_MS:g}",
                    met=slowest <= QUERY_GOAL_MS,
                )
            storage.close()


def _asked(storage: Storage) -> dict[str, Callable[[], Json]]:
    chance = random.Random(1)

    def some() -> int:
        return chance.randrange(DATASETS)

    def words() -> str:
        return " ".join(chance.sample(seed_index.WORDS, chance.randint(1, 2)))

    return {
        "by name": lambda: _found(storage, DatasetFilter(name=seed_index.name(some()))),
        "by words of the name": lambda: _found(storage, DatasetFilter(words=words())),
        "by owner": lambda: _found(storage, DatasetFilter(owner=seed_index.owner(some() % seed_index.OWNERS))),
        "by a file's hash": lambda: _claimed(storage, seed_index.file_hash(some())),
    }


def _found(storage: Storage, filters: DatasetFilter) -> Json:
    return shapes.page(find_datasets(storage, filters), item)


def _claimed(storage: Storage, sha256: Bytes32) -> Json:
    return claims(sha256, find_claims(storage, sha256))


def _p99(answer: Callable[[], Json]) -> float:
    """Return the 99th percentile of the time of an answer, in milliseconds."""
    times = []
    for _ in range(ASKED):
        start = time.perf_counter()
        orjson.dumps(answer())
        times.append(time.perf_counter() - start)
    return sorted(times)[int(0.99 * ASKED)] * 1000


def _index(chain: RpcChain, deployment: Deployment, url: str) -> float:
    """Build the index in an empty database; return the seconds."""
    storage = _opened(url)
    indexer = Indexer(chain, storage, deployment, ROOMS)
    start = time.perf_counter()
    indexer.catch_up()
    seconds = time.perf_counter() - start
    storage.close()
    return seconds


def _opened(url: str) -> Storage:
    storage = open_storage(url)
    migrate(storage)
    return storage


def _by_web3(w3: Web3, deployment: Deployment) -> float:
    """Read and decode the same events with web3.py, in spans of as many blocks; return the seconds."""
    registry, grants = (deployment.address_of(name) for name in ("DatasetRegistry", "AccessGrants"))
    contracts: tuple[tuple[Address, str, tuple[str, ...]], ...] = (
        (registry, "DatasetRegistry", ("Transfer", "Registered", "Revised", "Withdrawn")),
        (grants, "AccessGrants", ("AccessRequested", "AccessGranted", "AccessRevoked")),
    )
    start = time.perf_counter()
    found = 0
    for address, name, events in contracts:
        contract: Any = w3.eth.contract(Web3.to_checksum_address(address), abi=_abi(name))
        for event in events:
            found += len(contract.events[event].get_logs(from_block=deployment.block_number))
    seconds = time.perf_counter() - start
    if found != EVENTS:
        raise RuntimeError(f"The chain holds {found} events, but {EVENTS} were meant to be there.")
    return seconds


def _abi(name: str) -> Any:
    path = Path(__file__).resolve().parents[1] / "registry/artifacts" / f"{name}.json"
    return json.loads(path.read_text())["abi"]


def _fill(chain: RpcChain, datasets: int) -> Deployment:
    """Register, revise and grant on anvil, from its first unlocked account."""
    chain.request("evm_setAutomine", [False])
    sender = Address.parse(chain.request("eth_accounts")[0])
    nonce = 0

    def send(calls: list[tuple[Address | None, bytes]]) -> None:
        nonlocal nonce
        fields = [
            {
                "from": str(sender),
                "nonce": hex(nonce + number),
                "gas": hex(6_000_000 if to is None else GAS),
                "data": "0x" + data.hex(),
                **({} if to is None else {"to": str(to)}),
            }
            for number, (to, data) in enumerate(calls)
        ]
        chain.batch([("eth_sendTransaction", [field]) for field in fields])
        nonce += len(calls)
        chain.request("evm_mine")

    addresses: list[Address] = []
    for name in ("DatasetRegistry", "AccessGrants"):
        send([(None, artifact(name).creation_code + b"".join(map(left_padded, addresses)))])
        (transaction,) = chain.request("eth_getBlockByNumber", ["latest", False])["transactions"]
        addresses.append(Address.parse(chain.request("eth_getTransactionReceipt", [transaction])["contractAddress"]))
    genesis = Bytes32.parse(chain.request("eth_getBlockByNumber", ["0x0", False])["hash"])
    chain_id = int(chain.request("eth_chainId"), 16)
    deployment = Deployment.of(
        chain_id, genesis, dict(zip(("DatasetRegistry", "AccessGrants"), addresses, strict=True)), 1
    )
    for first in range(0, datasets, BLOCK_DATASETS):
        messages = [message for number in range(first, first + BLOCK_DATASETS) for message in _life(sender, number)]
        send([(deployment.address_of(message.CONTRACT), calldata(message, b"")) for message in messages])
    return deployment


def _life(owner: Address, number: int) -> tuple[Message, Message, Message]:
    """Return the calls of a dataset's registration, its second version, and a grant."""
    root, other = (Bytes32(keccak256(word + number.to_bytes(8, "big"))) for word in (b"root", b"other"))
    first = Registration(
        owner=owner, content_root=root, metadata_hash=other, uri=URI, salt=root, sources=(), deadline=LATER
    )
    head = NO_HEAD.after_registration(first.dataset_id, owner, root, other, URI.encode(), ())
    second = Revision(
        dataset_id=first.dataset_id,
        head=head,
        content_root=other,
        metadata_hash=root,
        uri=URI,
        sources=(),
        deadline=LATER,
    )
    grant = AccessGrant(
        dataset_id=first.dataset_id,
        grantee=Address(other[:20]),
        rights=3,
        starts_at=0,
        expires_at=LATER,
        terms_hash=root,
        epoch=0,
        deadline=LATER,
    )
    return first, second, grant
