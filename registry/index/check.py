"""Whether the index is what the chain says: both are folded to rows, by different code, and compared by their hash.

The rows of the index come from its tables. Those of the chain come from its logs and the records' own pure folds. The
hash does not depend on the kind of database; names are left out of it, because they are not from the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Table, select

from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32, DatasetId
from registry.chain.client import Chain, ChainUnavailable
from registry.ethereum.abi import text
from registry.ethereum.logs import Moment
from registry.index.apply import packed
from registry.index.blocks import SPAN_BLOCKS, BlockReader
from registry.index.events import Entry
from registry.index.position import position_of
from registry.index.state import Cursor, read_cursor, require_deployment
from registry.index.tables import DATASETS, EVENTS, GRANTS, SOURCES, VERSIONS
from registry.rooms.access import records as access
from registry.rooms.access.events import AccessGranted, AccessRequested, AccessRevoked
from registry.rooms.access.records import Access
from registry.rooms.datasets import records as datasets
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.records import Dataset
from registry.rooms.deployment import Deployment
from registry.storage import Storage

Row = tuple[Any, ...]

COLUMNS: Final[dict[Table, tuple[str, ...]]] = {
    EVENTS: (
        "position",
        "block_hash",
        "timestamp",
        "transaction_hash",
        "kind",
        "dataset_id",
        "account",
        "head",
        "topics",
        "data",
    ),
    DATASETS: (
        "dataset_id",
        "position",
        "registered_at",
        "first_owner",
        "salt",
        "owner",
        "head",
        "version",
        "content_root",
        "metadata_hash",
        "uri",
        "sources",
        "transaction_hash",
        "updated_position",
        "updated_at",
        "is_withdrawn",
        "reason",
    ),
    VERSIONS: ("position", "dataset_id", "number", "content_root", "metadata_hash", "claimant"),
    SOURCES: ("source_id", "source_version", "position", "dataset_id"),
    GRANTS: (
        "position",
        "dataset_id",
        "grantee",
        "epoch",
        "rights",
        "starts_at",
        "expires_at",
        "terms_hash",
        "ended_position",
        "ended_at",
        "is_revoked",
    ),
}
"""The columns that the chain determines, by table."""

_TEXTS: Final = {"uri", "reason"}
"""Compared as the text that they are shown as: the records keep no more."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found.

    Args:
        height: Up to which block both were folded.
        block_hash: That block's hash.
        chain: The hash of what the chain says.
        index: The hash of what the index says.
    """

    height: int
    block_hash: Bytes32
    chain: Bytes32
    index: Bytes32

    @property
    def is_equal(self) -> bool:
        """Whether the index says what the chain says."""
        return self.chain == self.index


def check(
    chain: Chain, storage: Storage, deployment: Deployment, progress: Callable[[int, int], None] | None = None
) -> Check:
    """Folds the chain anew, in memory, and compares it with the index.

    Args:
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        progress: Called with the height reached and the height wanted.

    Raises:
        NotIndexed: There is no index.
        Conflict: The index is of another deployment.
        ChainUnavailable: The node cannot be reached, or does not have the index's block: then index or node lag behind.
        InvalidInput: The chain's events are no full history.
    """
    with storage.read() as connection:
        require_deployment(connection, deployment)
        cursor = read_cursor(connection)
        index = _hash(cursor, index_rows(connection))
    entries = _entries(chain, deployment, cursor, progress)
    return Check(cursor.height, cursor.block_hash, _hash(cursor, folded_rows(entries)), index)


def fingerprint(storage: Storage) -> Bytes32:
    """The hash of all that the index says, and of the block that it stands on.

    Raises:
        NotIndexed: There is no index.
    """
    with storage.read() as connection:
        return _hash(read_cursor(connection), index_rows(connection))


def index_rows(connection: Connection) -> Iterator[tuple[str, Row]]:
    """The rows of the tables, as `folded_rows` gives them."""
    for table, columns in COLUMNS.items():
        texts = [number for number, column in enumerate(columns) if column in _TEXTS]
        statement = select(*(table.c[column] for column in columns)).order_by(*table.primary_key.columns)
        for row in connection.execution_options(yield_per=1000).execute(statement):
            values = list(row)
            for number in texts:
                values[number] = None if values[number] is None else text(values[number])
            yield table.name, tuple(values)


def folded_rows(entries: Iterable[Entry]) -> Iterator[tuple[str, Row]]:
    """The rows that the tables must have, by the records' own folds.

    Args:
        entries: All events of the contracts, in the order of the chain.

    Raises:
        InvalidInput: They are no full history.
    """
    found: dict[DatasetId, Dataset] = {}
    accesses: dict[tuple[DatasetId, Address], Access] = {}
    epochs: dict[int, int] = {}
    for entry in entries:
        event, account, head = entry.event, ZERO_ADDRESS, None
        if isinstance(event, AccessRequested | AccessGranted | AccessRevoked):
            account = event.grantee
            key = event.dataset_id, account
            accesses[key] = access.fold(accesses.get(key), event, entry.moment)
            if isinstance(event, AccessGranted):
                epochs[entry.position] = event.epoch
        else:
            dataset = datasets.fold(found.get(event.dataset_id), event, entry.moment)
            if dataset is not None:
                found[event.dataset_id] = dataset
                head = dataset.head
        topics = b"".join(entry.log.topics)
        yield (
            EVENTS.name,
            (
                entry.position,
                entry.block_hash,
                entry.timestamp,
                entry.transaction_hash,
                int(entry.kind),
                event.dataset_id,
                account,
                head,
                topics,
                entry.log.data,
            ),
        )
    for name, rows in (
        (DATASETS.name, map(_dataset, found.values())),
        (VERSIONS.name, (row for dataset in found.values() for row in _versions(dataset))),
        (SOURCES.name, (row for dataset in found.values() for row in _sources(dataset))),
        (GRANTS.name, (row for one in accesses.values() for row in _grants(one, epochs))),
    ):
        for row in sorted(rows, key=_primary_key):
            yield name, row


def _entries(
    chain: Chain, deployment: Deployment, cursor: Cursor, progress: Callable[[int, int], None] | None
) -> Iterator[Entry]:
    reader = BlockReader(chain, deployment)
    block = reader.block(max(deployment.block_number - 1, 0))
    while block is not None and block.number < cursor.height:
        span = reader.span(block.number, block.hash, min(block.number + SPAN_BLOCKS, cursor.height))
        yield from span.entries
        block = span.blocks[-1] if span.blocks else None
        if progress and block is not None:
            progress(block.number, cursor.height)
    if block is None or block.hash != cursor.block_hash:
        raise ChainUnavailable(
            f"The node does not have the block {cursor.height} ({cursor.block_hash}) that the index stands on.",
            hint="One of both lags behind, or the chain is just being reorganised; try again.",
        )


def _hash(cursor: Cursor, rows: Iterable[tuple[str, Row]]) -> Bytes32:
    digest = sha256(f"{cursor.height} {cursor.block_hash}\n".encode())
    for name, row in rows:
        digest.update(orjson.dumps([name, *map(_plain, row)]) + b"\n")
    return Bytes32(digest.digest())


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _primary_key(row: Row) -> Row:
    return row[:3]  # The columns of each primary key stand first.


def _place(at: Moment) -> int:
    return position_of(at.block_number, at.log_index)


def _dataset(dataset: Dataset) -> Row:
    first, latest, withdrawal = dataset.versions[0], dataset.latest, dataset.withdrawal
    updated = max(latest.at, dataset.titles[-1].since, withdrawal.at if withdrawal else latest.at)
    return (
        dataset.dataset_id,
        _place(first.at),
        first.at.timestamp,
        dataset.titles[0].owner,
        dataset.salt,
        dataset.owner,
        Head(dataset.head),
        latest.number,
        latest.content_root,
        latest.metadata_hash,
        latest.uri,
        packed(latest.sources),
        latest.at.transaction_hash,
        _place(updated),
        updated.timestamp,
        withdrawal is not None,
        withdrawal.reason if withdrawal else None,
    )


def _versions(dataset: Dataset) -> Iterator[Row]:
    for version in dataset.versions:
        claimant = next(title.owner for title in reversed(dataset.titles) if title.since <= version.at)
        yield (
            _place(version.at),
            dataset.dataset_id,
            version.number,
            version.content_root,
            version.metadata_hash,
            claimant,
        )


def _sources(dataset: Dataset) -> Iterator[Row]:
    for version in dataset.versions:
        for source in version.sources:
            yield source.dataset_id, source.version, _place(version.at), dataset.dataset_id


def _grants(one: Access, epochs: dict[int, int]) -> Iterator[Row]:
    for grant in one.grants:
        position = _place(grant.at)
        yield (
            position,
            one.dataset_id,
            one.grantee,
            epochs[position],
            grant.rights,
            grant.starts_at,
            grant.expires_at,
            grant.terms_hash,
            None if grant.ended is None else _place(grant.ended),
            None if grant.ended is None else grant.ended.timestamp,
            grant.is_revoked,
        )
