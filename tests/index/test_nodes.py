"""The index stays correct with a node that lags, lies, refuses or is load-balanced."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from registry.chain.client import ChainUnavailable, RpcError
from registry.index.check import fingerprint
from registry.index.events import UndecodableLog
from registry.index.state import read_cursor
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.events import REGISTERED
from registry.rooms.datasets.tables import DATASETS
from registry.storage import Storage
from tests.index.activity import Activity
from tests.index.faults import Spoil, SpoilingChain, honest
from tests.index.oracle import require_fold


def test_a_node_that_lags_takes_nothing_back(activity: Activity, storage: Storage) -> None:
    """R5: a shorter chain that agrees does not contradict."""
    chain = SpoilingChain(activity.chain, honest)
    indexer = Indexer(chain, storage, activity.deployment, ROOMS)
    for _ in range(10):
        activity.act(3)
        activity.mine()
    indexer.catch_up()
    before = fingerprint(storage, ROOMS)
    behind = activity.head_number() - 4

    def lag(method: str, params: Sequence[object], answer: Any) -> Any:
        if method == "eth_getBlockByNumber":
            if params[0] == "latest":
                return activity.chain.request(method, [hex(behind), False])
            return answer if int(str(params[0]), 16) <= behind else None
        return answer

    chain.spoil = lag
    indexer.catch_up()
    assert fingerprint(storage, ROOMS) == before
    assert indexer.status.reorgs == 0
    chain.spoil = honest
    activity.act(3)
    activity.mine()
    indexer.catch_up()
    require_fold(activity, storage)


def test_a_node_behind_a_balancer_that_answers_for_logs_without_having_them_is_asked_again(
    activity: Activity, storage: Storage
) -> None:
    """R4: an empty answer does not prove that a range is empty; the blooms of the blocks do."""
    chain = SpoilingChain(activity.chain, honest)
    indexer = Indexer(chain, storage, activity.deployment, ROOMS)
    for _ in range(5):
        activity.act(4)
        activity.mine()
    chain.spoil = lambda method, params, answer: (
        [] if method == "eth_getLogs" and "fromBlock" in dict(params[0]) else answer  # type: ignore[call-overload]
    )
    indexer.catch_up()
    require_fold(activity, storage)


def at_random(chance: random.Random) -> Spoil:
    """Half of the answers are null, stale, truncated, malformed or missing."""
    remembered: dict[str, Any] = {}

    def spoil(method: str, params: Sequence[object], answer: Any) -> Any:
        key = f"{method}{params}"
        stale = remembered.get(key)
        remembered[key] = answer
        match chance.randrange(12):
            case 0:
                return None
            case 1 if stale is not None:
                return stale
            case 2 if isinstance(answer, list):
                return []
            case 3 if isinstance(answer, dict):
                return {name: value for name, value in answer.items() if name != "hash"}
            case 4:
                raise ChainUnavailable("The node hung up.")
        return answer

    return spoil


def test_answers_at_random_null_stale_or_cut_short_never_corrupt(activity: Activity, storage: Storage) -> None:
    """R4, R5."""
    chance, spoil = random.Random(3), at_random(random.Random(4))
    chain = SpoilingChain(activity.chain, honest)
    indexer = Indexer(chain, storage, activity.deployment, ROOMS)
    indexer.step()
    for _ in range(60):
        activity.act(2)
        activity.mine()
        if chance.random() < 0.15:
            activity.reorg(chance.randint(1, 6))
        chain.spoil = spoil
        for _ in range(3):
            try:
                indexer.step()
            except (ChainUnavailable, RpcError):
                continue
    chain.spoil = honest
    indexer.catch_up()
    require_fold(activity, storage)


def test_logs_of_other_contracts_are_ignored(activity: Activity, storage: Storage, indexer: Indexer) -> None:
    """A copy of the contracts with the same events is not one of ours."""
    stranger = Activity(activity.chain, seed=9)
    for _ in range(4):
        stranger.act(4)
        stranger.mine()
    indexer.catch_up()
    with storage.read() as connection:
        assert connection.execute(select(DATASETS)).all() == []
    require_fold(activity, storage)


@pytest.mark.parametrize("data", ["0x", "0x" + "ff" * 64, "0x" + "00" * 31])
def test_a_log_that_the_contracts_cannot_have_made_stops_the_index_and_says_which(
    data: str, activity: Activity, sqlite_storage: Storage
) -> None:
    activity.act(3)
    activity.mine()

    def spoil(method: str, params: Sequence[object], answer: Any) -> Any:
        if method == "eth_getLogs":
            registered = str(REGISTERED)
            return [log | {"data": data} if log["topics"][0] == registered else log for log in answer]
        return answer

    indexer = Indexer(SpoilingChain(activity.chain, spoil), sqlite_storage, activity.deployment, ROOMS)
    with pytest.raises(UndecodableLog, match=r"of block \d+ \(transaction 0x"):
        indexer.catch_up()
    with sqlite_storage.read() as connection:
        assert read_cursor(connection).height < activity.head_number()


def test_a_node_that_caps_its_answers_is_asked_for_less(activity: Activity, sqlite_storage: Storage) -> None:
    for _ in range(12):
        activity.act(3)
        activity.mine()

    def capped(method: str, params: Sequence[object], answer: Any) -> Any:
        if method == "eth_getLogs" and len(answer) > 7:
            raise RpcError(-32005, "query returned more than 7 results")
        return answer

    Indexer(SpoilingChain(activity.chain, capped), sqlite_storage, activity.deployment, ROOMS).catch_up()
    require_fold(activity, sqlite_storage)
