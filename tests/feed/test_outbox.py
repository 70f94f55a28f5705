"""The invariants F1 to F4 of `registry.feed.outbox`, on real chains that are reorganised."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, select

from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32
from registry.base.subject import Subject
from registry.feed import entries
from registry.feed.entries import EntryKind, newest, read_entries
from registry.feed.outbox import (
    NUMBER_COLUMNS,
    Due,
    append_due,
    number_events,
    release_events,
    retract_due,
)
from registry.feed.tables import EVENTS, OUTBOX
from registry.index import ahead, sync
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from registry.storage.bulk import insert_rows
from tests.feed.consumer import Consumer
from tests.fixtures.crashes import Crash, crash
from tests.index.activity import Activity


def canonical(activity: Activity) -> list[tuple[int, bytes]]:
    """Return the place and block hash of the events that the chain has now, by its own answer."""
    addresses = [str(address) for address in activity.deployment.addresses.values()]
    filters = {"fromBlock": "0x0", "toBlock": "latest", "address": addresses}
    raw_logs = activity.chain.request("eth_getLogs", [filters])
    topics = {str(topic) for topic in ROOMS.protocols.topics}
    ignored = [[str(topic) for topic in prefix] for prefix in ROOMS.protocols.ignored]
    return [
        (int(raw["blockNumber"], 16) * 2**20 + int(raw["logIndex"], 16), bytes.fromhex(raw["blockHash"][2:]))
        for raw in raw_logs
        if raw["topics"][0] in topics and not any(raw["topics"][: len(prefix)] == prefix for prefix in ignored)
    ]


def require_canonical(consumer: Consumer, activity: Activity) -> None:
    """F1, F2: the valid entries after reading are the events of the chain; no number is missing or repeated."""
    consumer.read()
    assert [(position, block_hash) for position, block_hash, _ in consumer.events()] == canonical(activity)
    assert consumer.seen == list(range(1, len(consumer.seen) + 1))


def test_consumer_that_reads_through_reorganisations_ends_with_the_events_of_the_chain(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """F1, F2, F3."""
    slow, fast = Consumer(storage, 200), Consumer(storage)
    for number in range(12):
        for _ in range(4):
            activity.act(3)
            activity.mine()
        indexer.catch_up()
        fast.read()
        activity.reorg(1 + number % 4, keep=(0.0, 0.7, 1.0)[number % 3])
        indexer.catch_up()
        require_canonical(fast, activity)
    assert indexer.status.reorgs >= 1
    require_canonical(slow, activity)
    assert slow.held == {
        seq: fast.held[seq]._replace(is_standing=entry.is_standing) for seq, entry in slow.held.items()
    }
    with storage.read() as connection:
        rows = connection.execute(select(EVENTS.c.position, EVENTS.c.block_hash, EVENTS.c.data).order_by("position"))
        assert [tuple(row) for row in rows] == slow.events()


def test_events_are_retracted_in_the_reverse_of_their_order(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    consumer = Consumer(storage)
    for _ in range(6):
        activity.act(4)
        activity.mine()
    indexer.catch_up()
    before = consumer.read()
    activity.reorg(4, keep=0.0)
    indexer.catch_up()
    retracted = [entry.retracts for entry in consumer.read() if entry.entry == EntryKind.RETRACTION]
    assert retracted == [entry.seq for entry in reversed(before)][: len(retracted)]
    assert retracted


def test_rebuild_appends_nothing_for_what_stands(activity: Activity, indexer: Indexer, storage: Storage) -> None:
    """F4."""
    for _ in range(10):
        activity.act(4)
        activity.mine()
    indexer.catch_up()
    activity.reorg(3)
    indexer.catch_up()
    consumer = Consumer(storage)
    require_canonical(consumer, activity)
    for _ in range(2):
        indexer.start_over()
        indexer.catch_up()
        assert consumer.read() == []


def test_rebuild_that_is_begun_again_and_meets_a_reorganisation_loses_and_repeats_nothing(
    activity: Activity, indexer: Indexer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2, F3, F4."""
    monkeypatch.setattr(ahead, "SPAN_BLOCKS", 3)
    for _ in range(12):
        activity.act(3)
        activity.mine()
    indexer.catch_up()
    consumer = Consumer(storage)
    require_canonical(consumer, activity)
    for blocks in (1, 3, 2):
        rebuilding = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8)
        rebuilding.start_over()
        for _ in range(blocks):
            rebuilding.step()
        activity.reorg(5, keep=0.5)
    rebuilding.catch_up()
    require_canonical(consumer, activity)


def test_reorganisation_below_all_remembered_blocks_retracts_exactly_what_the_chain_lost(
    activity: Activity, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: the index begins again."""
    monkeypatch.setattr(sync, "KEPT_BLOCKS", 3)
    indexer = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=2)
    for _ in range(14):
        activity.act(3)
        activity.mine()
        indexer.catch_up()
    consumer = Consumer(storage)
    require_canonical(consumer, activity)
    before = dict(consumer.held)
    activity.reorg(7, keep=0.5)
    indexer.catch_up()
    assert indexer.status.rebuilds == 1
    require_canonical(consumer, activity)
    kept = set(canonical(activity))
    stood = {seq for seq, entry in before.items() if (entry.position, entry.block_hash) in kept}
    assert stood
    assert stood == set(before) & set(consumer.held)


def test_process_that_ends_between_events_and_outbox_has_written_neither(
    activity: Activity, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: both are one transaction."""
    activity.act(6)
    activity.mine()
    with monkeypatch.context() as patch:
        patch.setattr(sync, "write_cursor", crash)
        with pytest.raises(Crash):
            Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8).catch_up()
    consumer = Consumer(storage)
    assert consumer.read() == []
    Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8).catch_up()
    require_canonical(consumer, activity)


def due(number: int, name: str = "Something") -> Due:
    block = Bytes32(bytes([7]) * 32)
    return Due(name, Subject("thing", Bytes32(bytes([number]) * 32)), ZERO_ADDRESS, number, block, 5, block, {"n": 1})


def write_events(connection: Connection, positions: Sequence[int]) -> None:
    """Write the events of a range from 0 to 9, with the least that the table demands."""
    block = bytes([7]) * 32
    places = [(position, Bytes32(block)) for position in positions]
    columns = ("position", "block_hash", "timestamp", "transaction_hash", "kind", "subject_id", "account", "topics")
    rows = [
        (position, block, 5, block, 6, block, bytes(20), block, bytes([position]), *numbers)
        for position, numbers in zip(positions, number_events(connection, places, 0, 10), strict=True)
    ]
    insert_rows(connection, EVENTS, (*columns, "data", *NUMBER_COLUMNS), rows)


def test_released_event_that_comes_again_keeps_its_number_and_one_that_does_not_is_retracted(storage: Storage) -> None:
    """F1, F3, F4."""
    with storage.write() as connection:
        write_events(connection, [1, 2, 3])
        append_due(connection, due(2))
        append_due(connection, due(3))
        release_events(connection, 0)
        released = read_entries(connection, 0, 9).entries
        assert [(entry.seq, entry.position, entry.data, entry.is_standing) for entry in released] == [
            (1, 1, b"\1", True),
            (2, 2, b"\2", True),
            (3, 3, b"\3", True),
            (4, 2, None, True),
            (5, 3, None, True),
        ]
        write_events(connection, [1, 3, 4])
        assert newest(connection) == 8
        entries = read_entries(connection, 0, 9).entries
        assert [(entry.seq, entry.position, entry.retracts, entry.is_standing) for entry in entries] == [
            (1, 1, None, True),
            (2, 2, None, False),
            (3, 3, None, True),
            (4, 2, None, False),
            (5, 3, None, True),
            (6, 2, 4, False),
            (7, 2, 2, False),
            (8, 4, None, True),
        ]
        assert list(connection.scalars(select(OUTBOX.c.seq).order_by(OUTBOX.c.seq))) == [2, 4, 5, 6, 7]


def test_newest_entry_that_is_released_and_comes_again_is_not_numbered_twice(storage: Storage) -> None:
    """F1."""
    with storage.write() as connection:
        write_events(connection, [1, 2])
        release_events(connection, 0)
        write_events(connection, [2, 3])
        entries = read_entries(connection, 0, 9).entries
        assert [(entry.seq, entry.position, entry.retracts) for entry in entries] == [
            (1, 1, None),
            (2, 2, None),
            (3, 1, 1),
            (4, 3, None),
        ]


def test_numbers_are_given_in_the_order_of_commits(storage: Storage) -> None:
    """F1: a reader never sees a number whose predecessor comes later."""
    is_trying = threading.Event()

    def write_second() -> None:
        is_trying.set()
        with storage.write() as connection:
            append_due(connection, due(2))

    thread = threading.Thread(target=write_second)
    with storage.write() as connection:
        append_due(connection, due(1))
        thread.start()
        is_trying.wait()
        with storage.read() as reader:
            assert newest(reader) == 0
    thread.join()
    with storage.read() as connection:
        assert [(entry.seq, entry.position) for entry in read_entries(connection, 0, 9).entries] == [(1, 1), (2, 2)]


def test_transaction_that_is_rolled_back_leaves_no_gap(storage: Storage) -> None:
    """F1."""

    def write_and_crash() -> None:
        with storage.write() as connection:
            append_due(connection, due(1))
            crash()

    with pytest.raises(Crash):
        write_and_crash()
    with storage.write() as connection:
        append_due(connection, due(2))
        assert newest(connection) == 1


def test_due_entry_stands_once_until_it_is_retracted(storage: Storage) -> None:
    """F3."""
    positions = select(OUTBOX.c.position).where(OUTBOX.c.position == 1)
    with storage.write() as connection:
        append_due(connection, due(1))
        append_due(connection, due(1))
        append_due(connection, due(1, "Another"))
        retract_due(connection, "Something", positions)
        retract_due(connection, "Something", positions)
        append_due(connection, due(1))
        entries = read_entries(connection, 0, 9).entries
    assert [(EntryKind(entry.entry).word, entry.name, entry.retracts) for entry in entries] == [
        ("due", "Something", None),
        ("due", "Another", None),
        ("retraction", "Something", 1),
        ("due", "Something", None),
    ]


def test_filter_reads_in_bounded_steps_and_its_cursor_goes_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "SCANNED", 4)
    with storage.write() as connection:
        for number in range(1, 11):
            append_due(connection, due(number))
    with storage.read() as connection:
        steps = []
        after = 0
        while after < 10:
            batch = read_entries(connection, after, 3, subject_id=Bytes32(bytes([9]) * 32))
            after = batch.next
            steps.append(([entry.position for entry in batch.entries], batch.next))
        assert steps == [([], 4), ([], 8), ([9], 10)]
        assert read_entries(connection, 10, 3).next == 10
        assert read_entries(connection, 0, 3, kind=EntryKind.EVENT).entries == []


def test_account_of_an_entry_is_an_address(storage: Storage) -> None:
    with storage.write() as connection:
        append_due(connection, due(1))
        assert type(read_entries(connection, 0, 1).entries[0].account) is Address
