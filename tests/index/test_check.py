"""The rows of the index are those of the folds, and a wrong row is detected."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from registry.base.primitives import Address, Bytes32
from registry.index.apply import apply
from registry.index.blocks import BlockReader
from registry.index.check import check, fingerprint, folded_rows, index_rows
from registry.index.position import position_of
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.events import Registered
from registry.rooms.datasets.tables import VERSIONS
from registry.rooms.projection import BrokenHistory
from registry.storage import Storage, migrate, open_storage
from tests.index.activity import Activity


def migrated(url: str) -> Storage:
    opened = open_storage(url)
    migrate(opened)
    return opened


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
    """R4: a dataset cannot be registered twice, even if the node claims it."""
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
