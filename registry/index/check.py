"""Compare the index with the chain: both are folded to rows, by different code, and compared by their hash.

The rows of the index come from its tables. Those of the chain come from its logs and the records' own folds. The hash
does not depend on the kind of database, nor on what does not come from the chain, such as names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Table, select

from registry.base.primitives import Bytes32
from registry.chain.client import Chain, ChainUnavailable
from registry.ethereum.abi import text
from registry.feed.tables import EVENTS
from registry.index.apply import EVENT_COLUMNS, event_row
from registry.index.blocks import SPAN_BLOCKS, BlockReader
from registry.index.state import Cursor, read_cursor, require_deployment
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent, Row
from registry.rooms.room import Rooms
from registry.storage import Storage

KEY_COLUMNS: Final = 3
"""The most columns of a primary key; the columns of each primary key come first in a row."""

Progress = Callable[[int, int], None]
"""Called with the height reached and the last height."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a comparison.

    Args:
        height: The block up to which both were folded.
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
    chain: Chain, storage: Storage, deployment: Deployment, rooms: Rooms, progress: Progress | None = None
) -> Check:
    """Fold the chain again, in memory, and compare it with the index.

    Args:
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        rooms: The rooms.
        progress: Is told how far it is.

    Raises:
        NotIndexed: There is no index.
        Conflict: The index is of another deployment.
        ChainUnavailable: The node cannot be reached, or does not have the index's block: then index or node lag behind.
        InvalidInput: The chain's events are not a full history.
    """
    with storage.read() as connection:
        require_deployment(connection, deployment)
        cursor = read_cursor(connection)
        index = _hash(cursor, index_rows(connection, rooms))
    events = _events(chain, deployment, rooms, cursor, progress)
    return Check(cursor.height, cursor.block_hash, _hash(cursor, folded_rows(events, rooms)), index)


def fingerprint(storage: Storage, rooms: Rooms) -> Bytes32:
    """Return the hash of all that the index says, and of its block.

    Raises:
        NotIndexed: There is no index.
    """
    with storage.read() as connection:
        return _hash(read_cursor(connection), index_rows(connection, rooms))


def index_rows(connection: Connection, rooms: Rooms) -> Iterator[tuple[str, Row]]:
    """Yield the rows of the tables, as `folded_rows` does."""
    yield from _table_rows(connection, EVENTS, EVENT_COLUMNS, frozenset())
    for projection in rooms.projections:
        for table, columns in projection.tables.items():
            yield from _table_rows(connection, table, columns, projection.texts)


def folded_rows(events: Iterable[IndexedEvent], rooms: Rooms) -> Iterator[tuple[str, Row]]:
    """Yield the rows that the tables must have, by the records' own folds.

    Args:
        events: All events of the contracts, in the order of the chain.
        rooms: The rooms.

    Raises:
        InvalidInput: They are not a full history.
    """
    folds = [(projection, projection.fold()) for projection in rooms.projections]
    fold_of = {number: fold for projection, fold in folds for number in projection.kinds.values()}
    for event in events:
        yield EVENTS.name, event_row(event, fold_of[event.kind].add(event))
    for projection, fold in folds:
        rows = dict(fold.rows())
        for table in projection.tables:
            for row in sorted(rows[table], key=_primary_key):
                yield table.name, row


def _table_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], texts: frozenset[str]
) -> Iterator[tuple[str, Row]]:
    as_text = [number for number, column in enumerate(columns) if column in texts]
    statement = select(*(table.c[column] for column in columns)).order_by(*table.primary_key.columns)
    for row in connection.execution_options(yield_per=1000).execute(statement):
        values = list(row)
        for number in as_text:
            values[number] = None if values[number] is None else text(values[number])
        yield table.name, tuple(values)


def _events(
    chain: Chain, deployment: Deployment, rooms: Rooms, cursor: Cursor, progress: Progress | None
) -> Iterator[IndexedEvent]:
    reader = BlockReader(chain, deployment, rooms)
    block = reader.block(max(deployment.block_number - 1, 0))
    while block is not None and block.number < cursor.height:
        span = reader.span(block.number, block.hash, min(block.number + SPAN_BLOCKS, cursor.height))
        yield from span.events
        block = span.blocks[-1] if span.blocks else None
        if progress and block is not None:
            progress(block.number, cursor.height)
    if block is None or block.hash != cursor.block_hash:
        raise ChainUnavailable(
            f"The node does not have the index's block {cursor.height} ({cursor.block_hash}).",
            hint="One of both lags behind, or the chain is being reorganised; try again.",
        )


def _hash(cursor: Cursor, rows: Iterable[tuple[str, Row]]) -> Bytes32:
    digest = sha256(f"{cursor.height} {cursor.block_hash}\n".encode())
    for name, row in rows:
        digest.update(orjson.dumps([name, *map(_plain, row)]) + b"\n")
    return Bytes32(digest.digest())


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _primary_key(row: Row) -> Row:
    return row[:KEY_COLUMNS]
