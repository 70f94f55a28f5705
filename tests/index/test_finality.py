"""The blocks that the index considers final."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from registry.chain.client import RpcError
from registry.index.state import read_cursor
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from tests.index.activity import Activity
from tests.index.faults import SpoilingChain, honest


def test_final_is_what_has_enough_blocks_on_top_and_never_above_the_index(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """R5: finality 8."""
    activity.mine(5)
    indexer.catch_up()
    assert indexer.status.final_height == max(0, activity.head_number() - 8)
    activity.mine(20)
    indexer.catch_up()
    head = activity.head_number()
    assert indexer.status.final_height == head - 8
    activity.reorg(4)
    while indexer.step():
        with storage.read() as connection:
            cursor = read_cursor(connection)
        assert cursor.final_height <= cursor.height
        assert cursor.final_height == max(head, activity.head_number()) - 8 or cursor.final_height == head - 8


def test_a_head_that_is_merely_told_of_makes_nothing_final(activity: Activity, storage: Storage) -> None:
    """R5: one answer of another node, far ahead, on a chain of which no block follows the index's own."""
    activity.mine(5)

    def far_ahead(method: str, params: Sequence[object], answer: Any) -> Any:
        is_head = method == "eth_getBlockByNumber" and params[0] == "latest"
        return answer | {"number": hex(10_000), "hash": f"0x{'77' * 32}"} if is_head else answer

    chain = SpoilingChain(activity.chain, honest)
    indexer = Indexer(chain, storage, activity.deployment, ROOMS, finality=8)
    indexer.catch_up()
    chain.spoil = far_ahead
    for _ in range(3):
        indexer.step()
    assert indexer.status.final_height == max(0, activity.head_number() - 8)


def test_finality_by_the_nodes_own_tag(activity: Activity, storage: Storage) -> None:
    indexer = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality="finalized")
    activity.mine(100)
    indexer.catch_up()
    indexer.step()
    tagged = int(activity.chain.request("eth_getBlockByNumber", ["finalized", False])["number"], 16)
    assert indexer.status.final_height == tagged


def test_one_wrong_answer_to_the_tag_makes_nothing_final(activity: Activity, storage: Storage) -> None:
    """R5: the tag's block must be the chain's when it is asked for by its height."""
    activity.mine(100)
    tagged = int(activity.chain.request("eth_getBlockByNumber", ["finalized", False])["number"], 16)
    other = activity.chain.request("eth_getBlockByNumber", [hex(tagged + 20), False]) | {"hash": f"0x{'77' * 32}"}
    lies = iter([other])

    def lie_once(method: str, params: Sequence[object], answer: Any) -> Any:
        is_tag = method == "eth_getBlockByNumber" and params[0] == "finalized"
        return next(lies, answer) if is_tag else answer

    indexer = Indexer(
        SpoilingChain(activity.chain, lie_once), storage, activity.deployment, ROOMS, finality="finalized"
    )
    indexer.catch_up()
    for _ in range(3):
        indexer.step()
    assert indexer.status.final_height == tagged


@pytest.mark.parametrize(("difficulty", "depth"), [("0x2", 12), ("0x0", None)])
def test_a_chain_without_a_finalized_block_is_indexed_to_its_tip(
    activity: Activity, storage: Storage, difficulty: str, depth: int | None
) -> None:
    """By default: Clique finalizes nothing, so blocks count; under proof of stake the first final block is awaited."""
    activity.mine(100)

    def spoil(method: str, params: Sequence[object], answer: Any) -> Any:
        if method != "eth_getBlockByNumber" or not answer:
            return answer
        if params[0] == "finalized":
            return RpcError(-32000, "finalized block not found")
        return answer | {"difficulty": difficulty}

    indexer = Indexer(SpoilingChain(activity.chain, spoil), storage, activity.deployment, ROOMS, finality="auto")
    indexer.catch_up()
    indexer.step()
    head = activity.head_number()
    assert indexer.status.height == head
    assert indexer.status.final_height == (0 if depth is None else head - depth)
