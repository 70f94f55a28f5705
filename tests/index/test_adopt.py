"""The contracts of a newer version are added to an index that is ahead of them; existing rows stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from registry.base.errors import Conflict
from registry.base.primitives import Bytes32, keccak256
from registry.chain.calls import calldata
from registry.chain.client import Chain, ChainUnavailable
from registry.feed.entries import EntryKind
from registry.index import adopt
from registry.index.check import check
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.rooms.deployment import ContractAt, Deployment
from registry.rooms.room import Rooms
from registry.storage import Storage
from registry.timers.tables import TIMERS
from tests.feed.consumer import Consumer
from tests.index.activity import LATER, Activity
from tests.index.faults import SpoilingChain, honest
from tests.rooms.notices.messages import Notice
from tests.rooms.notices.room import ROOM, TABLE, compiled

WITH_NOTICES = Rooms((*ROOMS.rooms, ROOM))
NOTICES = 9
"""How many notices are posted before the index has their contract."""


class Newer:
    """The contracts of a newer version, one of which the index does not have.

    Args:
        activity: What happens on the chain.
        storage: The database of the index.
    """

    def __init__(self, activity: Activity, storage: Storage) -> None:
        with storage.write() as connection:
            TABLE.metadata.create_all(connection)
        self.activity = activity
        self.storage = storage
        self.address = activity.deploy(activity.people[0], compiled("Notices").creation_code)
        self.block_number = activity.head_number()
        self._posted = 0

    def deployment(self, noted: int) -> Deployment:
        """Return the contracts; of the new one, with a block that is noted."""
        contracts = {**self.activity.deployment.contracts, "Notices": ContractAt(self.address, noted)}
        return replace(self.activity.deployment, contracts=contracts)

    def post(self, notices: int) -> None:
        """Post notices, each in a block with other activity."""
        author = self.activity.people[1]
        for _ in range(notices):
            self._posted += 1
            notice_id = Bytes32(keccak256(bytes([self._posted])))
            notice = Notice(
                author=self.activity.address(author), notice_id=notice_id, text=f"Nr. {self._posted}", deadline=LATER
            )
            self.activity.send_call(author, self.address, calldata(notice, b""))
            self.activity.act(2)
            self.activity.mine()

    def numbers(self) -> list[str]:
        """Return the texts of the notices in the index, in the order of the chain."""
        with self.storage.read() as connection:
            return list(connection.scalars(select(TABLE.c.text).order_by(TABLE.c.position)))

    def require_equal(self, noted: int) -> None:
        """Require that the index is the fold of the chain, with the notices."""
        assert check(self.activity.chain, self.storage, self.deployment(noted), WITH_NOTICES).is_equal


class Watched:
    """A chain that records the requested logs and heights.

    Attributes:
        addresses: The addresses of each request for logs.
        heights: The heights of the blocks that were asked for, without block 0, which names the chain.
    """

    def __init__(self, chain: Chain) -> None:
        self.addresses: list[list[str]] = []
        self.heights: list[int] = []
        self.chain = SpoilingChain(chain, self._note)

    def _note(self, method: str, params: Sequence[Any], answer: Any) -> Any:
        if method == "eth_getLogs":
            self.addresses.append(params[0]["address"])
        elif method == "eth_getBlockByNumber" and params[0] not in ("latest", "0x0"):
            self.heights.append(int(params[0], 16))
        return answer


@pytest.fixture
def newer(activity: Activity, indexer: Indexer, storage: Storage) -> Newer:
    """An index that is ahead of a new contract, which has been used."""
    for _ in range(6):
        activity.act(4)
        activity.mine()
    world = Newer(activity, storage)
    world.post(NOTICES)
    indexer.catch_up()
    return world


@pytest.mark.parametrize("too_low", [0, 1, 5])
def test_new_contract_is_added_by_its_own_logs_and_all_entries_stay(newer: Newer, too_low: int) -> None:
    """An older version noted a block that was lower than that of the deployment: this costs headers alone."""
    consumer = Consumer(newer.storage)
    consumer.read()
    before = dict(consumer.held)
    noted = newer.block_number - too_low
    watched = Watched(newer.activity.chain)
    indexer = Indexer(watched.chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8)
    indexer.catch_up()
    assert watched.addresses
    assert {tuple(addresses) for addresses in watched.addresses} == {(str(newer.address),)}
    assert min(watched.heights) == noted - 1
    assert newer.numbers() == [f"Nr. {number}" for number in range(1, NOTICES + 1)]
    added = consumer.read()
    assert [EntryKind(entry.entry) for entry in added] == [EntryKind.EVENT] * NOTICES
    assert {seq: consumer.held[seq] for seq in before} == before
    newer.require_equal(noted)
    newer.post(2)
    newer.activity.reorg(4)
    indexer.catch_up()
    newer.require_equal(noted)


def test_contract_without_events_is_added_without_a_new_entry(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    activity.act(4)
    activity.mine()
    world = Newer(activity, storage)
    activity.act(4)
    activity.mine()
    indexer.catch_up()
    consumer = Consumer(storage)
    consumer.read()
    newer_indexer = Indexer(activity.chain, storage, world.deployment(0), WITH_NOTICES, finality=8)
    newer_indexer.catch_up()
    assert consumer.read() == []
    world.post(1)
    newer_indexer.catch_up()
    assert world.numbers() == ["Nr. 1"]
    world.require_equal(0)


def test_reorganisation_between_two_spans_leaves_nothing_of_the_old_branch(
    newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "SPAN_BLOCKS", 3)
    noted = newer.block_number
    indexer = Indexer(newer.activity.chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8)
    for depth in (1, 6, 8):
        indexer.step()
        indexer.step()
        assert newer.numbers() == []
        newer.activity.reorg(depth)
    indexer.catch_up()
    assert indexer.status.rebuilds == 0
    newer.require_equal(noted)


def test_two_processes_that_add_it_at_once_add_it_once(newer: Newer) -> None:
    noted = newer.block_number
    first, second = (
        Indexer(newer.activity.chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8)
        for _ in range(2)
    )
    second.step()
    first.catch_up()
    second.catch_up()
    assert newer.numbers() == [f"Nr. {number}" for number in range(1, NOTICES + 1)]
    newer.require_equal(noted)


def test_contract_with_more_events_than_are_held_makes_the_index_begin_again(
    newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: the entries stay all the same."""
    monkeypatch.setattr(adopt, "MOST_EVENTS", NOTICES - 1)
    consumer = Consumer(newer.storage)
    consumer.read()
    before = dict(consumer.held)
    noted = newer.block_number
    watched = Watched(newer.activity.chain)
    Indexer(watched.chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8).catch_up()
    assert min(watched.heights) == newer.activity.deployment.block_number == 1
    assert [EntryKind(entry.entry) for entry in consumer.read()] == [EntryKind.EVENT] * NOTICES
    assert {seq: consumer.held[seq] for seq in before} == before
    newer.require_equal(noted)


def test_reorganisation_below_its_first_block_leaves_nothing_of_the_old_branch(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """All its events have been read when the index goes back to a block before them."""
    world = Newer(activity, storage)
    for _ in range(4):
        activity.act(2)
        activity.mine()
    noted = activity.head_number() + 1
    world.post(3)
    indexer.catch_up()
    newer_indexer = Indexer(activity.chain, storage, world.deployment(noted), WITH_NOTICES, finality=8)
    newer_indexer.step()
    activity.reorg(6)
    newer_indexer.catch_up()
    world.require_equal(noted)


def test_index_that_cannot_begin_again_yet_does_so_later(newer: Newer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopt, "MOST_EVENTS", 1)
    noted = newer.block_number
    chain = SpoilingChain(newer.activity.chain, honest)
    indexer = Indexer(chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8)
    monkeypatch.setattr(adopt, "SPAN_BLOCKS", 3)
    indexer.step()
    chain.spoil = _no_block_0
    with pytest.raises(ChainUnavailable):
        indexer.step()
    chain.spoil = honest
    indexer.catch_up()
    assert newer.numbers() == [f"Nr. {number}" for number in range(1, NOTICES + 1)]
    newer.require_equal(noted)


def test_index_that_another_process_has_begun_again_is_not_emptied_once_more(
    newer: Newer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopt, "MOST_EVENTS", 1)
    monkeypatch.setattr(adopt, "SPAN_BLOCKS", 3)
    noted = newer.block_number
    watched = Watched(newer.activity.chain)
    first, second = (
        Indexer(chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8)
        for chain in (newer.activity.chain, watched.chain)
    )
    second.step()
    first.catch_up()
    second.catch_up()
    assert min(watched.heights) == noted - 1
    newer.require_equal(noted)


@pytest.mark.parametrize("depth", [0, 3])
def test_older_process_that_still_runs_does_not_pass_over_the_events_of_a_new_contract(
    newer: Newer, indexer: Indexer, depth: int
) -> None:
    """It neither goes on nor back: it does not know the contract's tables."""
    noted = newer.block_number
    newer_indexer = Indexer(newer.activity.chain, newer.storage, newer.deployment(noted), WITH_NOTICES, finality=8)
    newer_indexer.catch_up()
    newer.post(2)
    if depth:
        newer.activity.reorg(2 + depth)
    with pytest.raises(Conflict, match="is of the Notices at"):
        indexer.catch_up()
    newer_indexer.catch_up()
    newer.require_equal(noted)


def _no_block_0(method: str, params: Sequence[Any], answer: Any) -> Any:
    if method == "eth_getBlockByNumber" and params[0] == "0x0":
        raise ChainUnavailable("no answer")
    return answer


def test_contract_whose_events_set_dates_gets_its_timers(activity: Activity, storage: Storage) -> None:
    datasets_alone = Deployment(
        activity.deployment.chain_id,
        activity.deployment.genesis_hash,
        {"DatasetRegistry": activity.deployment.contracts["DatasetRegistry"]},
    )
    for _ in range(12):
        activity.act(5)
        activity.mine()
    Indexer(activity.chain, storage, datasets_alone, Rooms(ROOMS.rooms[:1]), finality=8).catch_up()
    with storage.read() as connection:
        assert connection.execute(select(TIMERS)).all() == []
    Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8).catch_up()
    with storage.read() as connection:
        late = set(connection.execute(select(TIMERS)).all())
    rebuilding = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8)
    rebuilding.start_over()
    rebuilding.catch_up()
    with storage.read() as connection:
        assert set(connection.execute(select(TIMERS)).all()) == late
    assert late
    assert check(activity.chain, storage, activity.deployment, ROOMS).is_equal
