"""The lineage from the index, compared with the same walk over the chain's logs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from registry.base.errors import NotFound
from registry.base.primitives import Address, DatasetId
from registry.chain.rpc import RpcChain
from registry.ethereum.logs import Log
from registry.index.sync import Indexer
from registry.lineage import Direction, Node, walk
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.events import Registered, Revised, Transferred, Withdrawn, decode
from registry.rooms.datasets.lineage import read_lineage
from registry.rooms.datasets.messages import Source
from registry.rooms.datasets.tables import DATASETS
from registry.storage import Storage
from tests.index.activity import Activity


class LogReader:
    """The lineage by all logs of the contract, as one `eth_getLogs` gives them."""

    def __init__(self, chain: RpcChain, registry: Address) -> None:
        self.known: dict[Source, Node] = {}
        owners: dict[DatasetId, Address] = {}
        withdrawn: set[DatasetId] = set()
        for raw in chain.request("eth_getLogs", [{"address": str(registry), "fromBlock": "0x0", "toBlock": "latest"}]):
            event = decode(Log.from_rpc(raw))
            if isinstance(event, Transferred):
                owners[event.dataset_id] = event.owner
            elif isinstance(event, Withdrawn):
                withdrawn.add(event.dataset_id)
            elif isinstance(event, Registered | Revised):
                if isinstance(event, Registered):
                    owners[event.dataset_id] = event.owner
                version = Source(dataset_id=event.dataset_id, version=getattr(event, "version", 1))
                block = chain.request("eth_getBlockByNumber", [raw["blockNumber"], False])
                self.known[version] = Node(
                    version=version,
                    content_root=event.content_root,
                    name=None,
                    claimant=owners[event.dataset_id],
                    owner=owners[event.dataset_id],
                    is_withdrawn=False,
                    registered_at=datetime.fromtimestamp(int(block["timestamp"], 16), UTC),
                    block_number=int(raw["blockNumber"], 16),
                    sources=event.sources,
                )
        for version, node in self.known.items():
            now = {"owner": owners[version.dataset_id], "is_withdrawn": version.dataset_id in withdrawn}
            self.known[version] = node.model_copy(update=now)

    def nodes(self, versions: Collection[Source]) -> Iterable[Node]:
        return [self.known[version] for version in versions if version in self.known]

    def dependents(self, versions: Collection[Source]) -> Iterable[Source]:
        wanted = set(versions)
        return [version for version, node in self.known.items() if wanted & set(node.parents)]


def test_the_lineage_of_every_dataset_is_that_of_the_chains_own_logs(anvil: RpcChain, storage: Storage) -> None:
    people = Activity(anvil, seed=9)
    for _ in range(12):
        people.act(8)
        people.mine()
    Indexer(anvil, storage, people.deployment, ROOMS).catch_up()
    truth = LogReader(anvil, people.deployment.address_of("DatasetRegistry"))
    with storage.read() as connection:
        datasets = list(connection.scalars(select(DATASETS.c.dataset_id)))
    assert len(datasets) > 10
    assert any(node.sources for node in truth.known.values())
    for dataset_id in datasets:
        versions = [version for version in truth.known if version.dataset_id == dataset_id]
        for direction in Direction:
            graph, cursor = read_lineage(storage, dataset_id, None, direction)
            assert graph == walk(truth, versions, direction)
            assert cursor.height == people.head_number()
        exact, _ = read_lineage(storage, dataset_id, 1, Direction.DOWN, depth=1)
        assert exact == walk(truth, versions[:1], Direction.DOWN, depth=1)


def test_an_unknown_dataset_or_version_is_not_found(anvil: RpcChain, sqlite_storage: Storage) -> None:
    people = Activity(anvil, seed=1)
    registration = people.registration(people.people[0], sources=())
    people.send(people.people[0], registration)
    people.mine()
    Indexer(anvil, sqlite_storage, people.deployment, ROOMS).catch_up()
    assert len(read_lineage(sqlite_storage, registration.dataset_id, 1, Direction.BOTH)[0].nodes) == 1
    with pytest.raises(NotFound, match="no version 2"):
        read_lineage(sqlite_storage, registration.dataset_id, 2, Direction.BOTH)
    with pytest.raises(NotFound, match="no dataset"):
        read_lineage(sqlite_storage, DatasetId(bytes(32)), None, Direction.BOTH)
