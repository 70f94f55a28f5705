"""The index follows the canonical chain, whatever chain, node and process do."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select

from registry.base.errors import Conflict
from registry.base.primitives import Address, Bytes32
from registry.chain.client import ChainUnavailable, RpcError, WrongChain
from registry.index import ahead, sync
from registry.index.apply import apply
from registry.index.blocks import BlockReader
from registry.index.check import check, fingerprint, folded_rows, index_rows
from registry.index.events import UndecodableLog
from registry.index.position import position_of
from registry.index.state import NotIndexed, read_cursor
from registry.index.sync import Indexer
from registry.rooms.access.tables import GRANTS
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.events import REGISTERED, Registered
from registry.rooms.datasets.tables import DATASETS, VERSIONS
from registry.rooms.deployment import Deployment
from registry.rooms.projection import BrokenHistory
from registry.storage import Storage, migrate, open_storage
from tests.fixtures.crashes import Crash, crash
from tests.fixtures.waiting import eventually
from tests.index.activity import Activity
from tests.index.faults import Spoil, SpoilingChain, honest
from tests.index.oracle import fold_chain


def require_fold(activity: Activity, storage: Storage) -> None:
    """R4, R5: the index is at the chain's head, and says what the pure folds of the chain's logs say."""
    head = activity.chain.request("eth_getBlockByNumber", ["latest", False])
    with storage.read() as connection:
        cursor = read_cursor(connection)
        rows = {row.dataset_id: row for row in connection.execute(select(DATASETS))}
        versions = connection.execute(select(VERSIONS).order_by(VERSIONS.c.position)).all()
        grants = connection.execute(select(GRANTS).order_by(GRANTS.c.position)).all()
    assert (cursor.height, str(cursor.block_hash)) == (int(head["number"], 16), head["hash"])
    datasets, accesses = fold_chain(activity.chain, activity.deployment)
    assert {
        dataset_id: (row.head, row.owner, row.version, row.content_root, row.is_withdrawn)
        for dataset_id, row in rows.items()
    } == {
        dataset_id: (one.head, one.owner, one.latest.number, one.latest.content_root, one.withdrawal is not None)
        for dataset_id, one in datasets.items()
    }
    assert [(row.dataset_id, row.number, row.content_root) for row in versions] == [
        (dataset_id, version.number, version.content_root)
        for _, dataset_id, version in sorted(
            (version.at, dataset_id, version) for dataset_id, one in datasets.items() for version in one.versions
        )
    ]
    assert [(row.dataset_id, row.grantee, row.rights, row.ended_at, row.is_revoked) for row in grants] == [
        (*pair, grant.rights, None if grant.ended is None else grant.ended.timestamp, grant.is_revoked)
        for _, pair, grant in sorted((grant.at, pair, grant) for pair, one in accesses.items() for grant in one.grants)
    ]
    assert check(activity.chain, storage, activity.deployment, ROOMS).is_equal


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


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8, 13, 21, 34, 55, 63, 64])
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
    """R4: whoever is slower gives way."""
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
    """R4: silence about a range is no proof of emptiness; the blocks' blooms tell."""
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
    """Answers that are null, stale, cut short, malformed, or do not come, half of the time."""
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


Alter = Callable[[Deployment], Deployment]


@pytest.mark.parametrize(
    "alter",
    [
        lambda one: replace(one, chain_id=one.chain_id + 1),
        lambda one: replace(one, genesis_hash=Bytes32(b"\x01" * 32)),
    ],
    ids=["chain id", "genesis"],
)
def test_a_wrong_chain_is_refused(alter: Alter, activity: Activity, sqlite_storage: Storage) -> None:
    with pytest.raises(WrongChain, match="but the contracts are on chain"):
        Indexer(activity.chain, sqlite_storage, alter(activity.deployment), ROOMS).step()


def test_addresses_without_contracts_are_refused(activity: Activity, sqlite_storage: Storage) -> None:
    contracts = activity.deployment.contracts
    nowhere = replace(contracts["DatasetRegistry"], address=Address(b"\x09" * 20))
    wrong = replace(activity.deployment, contracts={**contracts, "DatasetRegistry": nowhere})
    with pytest.raises(Conflict, match="There is no contract at 0x0909"):
        Indexer(activity.chain, sqlite_storage, wrong, ROOMS).step()


def test_a_database_of_another_deployment_is_refused(activity: Activity, indexer: Indexer, storage: Storage) -> None:
    indexer.catch_up()
    other = Activity(activity.chain, seed=8)
    with pytest.raises(Conflict, match="The index in this database is of the DatasetRegistry at"):
        Indexer(activity.chain, storage, other.deployment, ROOMS).step()


def test_a_node_that_has_not_reached_the_deployment_is_waited_for(activity: Activity, sqlite_storage: Storage) -> None:
    def at_genesis(method: str, params: Sequence[object], answer: Any) -> Any:
        if method == "eth_getCode":
            return "0x"
        if method == "eth_getBlockByNumber":
            return activity.chain.request(method, ["0x0", False])
        return answer

    with pytest.raises(ChainUnavailable, match="has not come as far"):
        Indexer(SpoilingChain(activity.chain, at_genesis), sqlite_storage, activity.deployment, ROOMS).step()


def test_logs_of_other_contracts_are_ignored(activity: Activity, storage: Storage, indexer: Indexer) -> None:
    """A twin of the contracts, with the same events, is none of ours."""
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


def test_the_same_index_in_both_databases_has_the_same_fingerprint(
    activity: Activity, sqlite_storage: Storage, postgresql_url: str
) -> None:
    for _ in range(6):
        activity.act(6)
        activity.mine()
    found = set()
    for storage in (sqlite_storage, migrated(postgresql_url)):
        Indexer(activity.chain, storage, activity.deployment, ROOMS).catch_up()
        found.add(fingerprint(storage, ROOMS))
    assert len(found) == 1


def test_check_finds_a_row_that_the_chain_did_not_write(activity: Activity, indexer: Indexer, storage: Storage) -> None:
    activity.act(10)
    activity.mine()
    indexer.catch_up()
    with storage.write() as connection:
        connection.execute(
            insert(VERSIONS).values(
                position=position_of(1, 5),
                dataset_id=Bytes32(bytes(32)),
                number=1,
                content_root=Bytes32(bytes(32)),
                metadata_hash=Bytes32(bytes(32)),
                claimant=Address(bytes(20)),
            )
        )
    assert not check(activity.chain, storage, activity.deployment, ROOMS).is_equal


def test_rows_of_the_tables_and_of_the_pure_folds_are_the_same_row_by_row(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """R4, in detail: where the hashes differ, this test says in what."""
    for _ in range(15):
        activity.act(6)
        activity.mine()
    indexer.catch_up()
    reader = BlockReader(activity.chain, activity.deployment, ROOMS)
    block = reader.block(activity.deployment.block_number - 1)
    assert block is not None
    span = reader.span(block.number, block.hash, activity.head_number())
    with storage.read() as connection:
        assert list(index_rows(connection, ROOMS)) == list(folded_rows(span.events, ROOMS))


def test_registration_that_is_in_the_index_already_is_refused_and_changes_nothing(
    activity: Activity, indexer: Indexer, storage: Storage
) -> None:
    """R4: one dataset cannot come into being twice, however the node came to say so."""
    activity.act(6)
    activity.mine()
    indexer.catch_up()
    reader = BlockReader(activity.chain, activity.deployment, ROOMS)
    block = reader.block(activity.deployment.block_number - 1)
    assert block is not None
    entries = reader.span(block.number, block.hash, activity.head_number()).events
    again = next(entry for entry in entries if isinstance(entry.event, Registered))
    later_block = activity.head_number() + 1
    later = again._replace(position=position_of(later_block, 0))
    before = fingerprint(storage, ROOMS)
    with pytest.raises(BrokenHistory), storage.write() as connection:
        apply(connection, ROOMS.projections, [later], above=later_block - 1, height=later_block)
    assert fingerprint(storage, ROOMS) == before


def test_before_the_first_step_there_is_no_index(sqlite_storage: Storage) -> None:
    with pytest.raises(NotIndexed), sqlite_storage.read() as connection:
        read_cursor(connection)


def migrated(url: str) -> Storage:
    opened = open_storage(url)
    migrate(opened)
    return opened
