"""The index follows the canonical chain through reorganisations, crashes and a second indexer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from registry.base.primitives import Bytes32
from registry.chain.client import ChainUnavailable
from registry.index import ahead, sync
from registry.index.check import fingerprint
from registry.index.state import NotIndexed, read_cursor
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from tests.fixtures.crashes import Crash, crash
from tests.fixtures.randomness import draws
from tests.fixtures.waiting import eventually
from tests.index.activity import Activity
from tests.index.faults import SpoilingChain
from tests.index.oracle import require_fold


def is_at_height(storage: Storage, height: int) -> bool:
    """Return whether the index is at a height."""
    with suppress(NotIndexed), storage.read() as connection:
        return read_cursor(connection).height == height
    return False


def rebuilt(activity: Activity, storage: Storage) -> Bytes32:
    """The fingerprint after a rebuild from nothing."""
    other = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8)
    other.start_over()
    other.catch_up()
    return fingerprint(storage, ROOMS)


def test_an_index_that_follows_block_by_block_equals_the_fold_and_a_rebuild(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """R4: index(height) = fold of the canonical chain's events up to it."""
    for _ in range(25):
        activity.act(6)
        activity.mine()
        indexer.catch_up()
    require_fold(activity, storage)
    followed = fingerprint(storage, ROOMS)
    assert rebuilt(activity, storage) == followed


@pytest.mark.parametrize("depth", [1, 2, 3, 8, 21, 63, 64, 5, 13, 34, 55][: draws(7, 11)])
def test_after_a_reorg_the_index_is_that_of_the_new_branch(
    depth: int, activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """R4, R5: transactions are dropped, reordered and included again, up to 64 blocks deep."""
    for _ in range(depth + 3):
        activity.act(3)
        activity.mine()
    indexer.catch_up()
    activity.reorg(depth)
    indexer.catch_up()
    assert indexer.status.reorgs == 1
    assert indexer.status.deepest_reorg >= depth - 1  # The first new block may have come out as it was.
    require_fold(activity, storage)


def test_what_was_read_ahead_of_a_reorg_is_not_stored(
    activity: Activity, indexer: Indexer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4, R5: the blocks read ahead follow one that is on the chain no more."""
    monkeypatch.setattr(ahead, "SPAN_BLOCKS", 10)
    for _ in range(40):
        activity.act(2)
        activity.mine()
    while indexer.status.height < 20:
        indexer.step()
    activity.reorg(activity.head_number() - 15)
    indexer.catch_up()
    assert indexer.status.reorgs == 1
    require_fold(activity, storage)


def test_a_fault_of_reading_ahead_is_told_and_the_next_step_reads_again(
    activity: Activity, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4."""
    monkeypatch.setattr(ahead, "SPAN_BLOCKS", 10)
    for _ in range(30):
        activity.act(2)
        activity.mine()
    second = activity.deployment.block_number + 10
    faults = 0

    def refuse_the_second_span(method: str, params: Sequence[Any], answer: Any) -> Any:
        nonlocal faults
        if method == "eth_getLogs" and int(params[0]["fromBlock"], 16) == second and not faults:
            faults += 1
            raise ChainUnavailable("out of order")
        return answer

    indexer = Indexer(
        SpoilingChain(activity.chain, refuse_the_second_span), storage, activity.deployment, ROOMS, finality=8
    )
    for _ in range(2):  # The first begins the index.
        indexer.step()
    with pytest.raises(ChainUnavailable, match="out of order"):
        indexer.step()
    assert faults == 1
    indexer.catch_up()
    require_fold(activity, storage)


def test_when_all_remembered_blocks_are_gone_the_index_begins_anew(
    activity: Activity, indexer: Indexer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4."""
    monkeypatch.setattr(sync, "KEPT_BLOCKS", 5)
    for _ in range(20):
        activity.act(2)
        activity.mine()
    indexer.catch_up()
    activity.reorg(15)
    indexer.catch_up()
    assert indexer.status.rebuilds == 1
    require_fold(activity, storage)


def test_a_branch_whose_blocks_hold_the_same_transactions_in_other_blocks_moves_their_moments(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """R4: positions, block hashes and times belong to the fold."""
    activity.act(4)
    activity.mine()
    indexer.catch_up()
    before = fingerprint(storage, ROOMS)
    activity.reorg(1, keep=1.0, longer=2)
    indexer.catch_up()
    assert fingerprint(storage, ROOMS) != before
    require_fold(activity, storage)


def test_a_crash_inside_a_transaction_leaves_the_index_at_the_block_before(
    activity: Activity, indexer: Indexer, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4: events and cursor are one transaction, forward and back."""
    activity.act(8)
    activity.mine(3)
    indexer.catch_up()
    before = fingerprint(storage, ROOMS)
    activity.act(8)
    activity.mine(2)

    for name in ("write_cursor", "keep_blocks"):
        with monkeypatch.context() as patch:
            patch.setattr(sync, name, crash)
            with pytest.raises(Crash):
                indexer.catch_up()
        assert fingerprint(storage, ROOMS) == before
    indexer.catch_up()
    require_fold(activity, storage)
    before = fingerprint(storage, ROOMS)
    activity.reorg(3)
    with monkeypatch.context() as patch:
        patch.setattr(sync, "write_cursor", crash)
        with pytest.raises(Crash):
            indexer.catch_up()
    assert fingerprint(storage, ROOMS) == before
    indexer.catch_up()
    require_fold(activity, storage)


def test_two_indexers_on_one_database_do_not_disturb_each_other(activity: Activity, storage: Storage) -> None:
    """R4: the slower indexer yields."""
    for _ in range(15):
        activity.act(4)
        activity.mine()
    stop = threading.Event()
    failures: list[BaseException] = []

    def follow() -> None:
        try:
            Indexer(activity.chain, storage, activity.deployment, ROOMS).run(stop, interval=0.01)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        activity.act(4)
        activity.mine()
        if activity.random.random() < 0.3:
            activity.reorg(activity.random.randint(1, 4))
    try:
        eventually(lambda: failures or is_at_height(storage, activity.head_number()))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    require_fold(activity, storage)


def test_before_the_first_step_there_is_no_index(sqlite_storage: Storage) -> None:
    with pytest.raises(NotIndexed), sqlite_storage.read() as connection:
        read_cursor(connection)
