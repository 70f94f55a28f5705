"""Write the outbox and read it by cursor.

Invariants, each held by a test in tests/feed:

F1. Rows are only appended. `seq` counts from 1 without gaps, in the order of commits: whoever has read up to a number
    finds everything that comes later behind it. Every writer takes the lock of the outbox before it takes a number.
F2. Up to the index's block, the standing entries of kind `event` are exactly the events of the index, recognised by
    position and block hash.
F3. Each event and due entry is taken back by at most one retraction, which comes later and names it.
F4. A rebuild of the index appends nothing for an event that stands, and takes back what the chain no longer has.

F2 and F4 have one cause: `reconcile` compares the outbox with the table of events in a range of positions, and appends
the difference. New blocks, reorganisations and rebuilds all use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.feed.tables import OUTBOX
from registry.storage.clock import database_time
from registry.storage.locks import lock_values

SCANNED: Final = 10_000
"""How many entries one read looks at: with a filter that fits few, reading stays bounded."""
_EVENT_COLUMNS: Final = (
    "position",
    "block_hash",
    "timestamp",
    "transaction_hash",
    "subject_id",
    "account",
    "kind",
    "topics",
    "data",
)
_COPIED: Final = (*_EVENT_COLUMNS, "name", "subject_kind", "values")


class EntryKind(IntEnum):
    """The kinds of entries."""

    EVENT = 0
    """An event of the chain was indexed."""
    RETRACTION = 1
    """An earlier entry no longer holds: the chain took back the block, or what came before a date changed."""
    DUE = 2
    """A date was reached."""

    @property
    def word(self) -> str:
        """The kind as JSON and queries show it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Due:
    """A date that was reached.

    Args:
        name: What is due.
        subject: What it is about.
        account: The account that it is about too; the zero address for none.
        position: The position of the event that set the date.
        block_hash: The hash of that event's block.
        timestamp: The time of that block, Unix seconds, UTC.
        transaction_hash: The hash of that event's transaction.
        values: More about it, ready for JSON.
    """

    name: str
    subject: Subject
    account: Address
    position: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32
    values: Mapping[str, Any]


class Entry(NamedTuple):
    """A row of the outbox; the columns of `registry.feed.tables`."""

    seq: int
    entry: int
    retracts: int | None
    is_standing: bool
    position: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32
    subject_id: Bytes32
    account: Address
    written_at: int
    kind: int | None
    topics: bytes | None
    data: bytes | None
    name: str | None
    subject_kind: str | None
    values: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries behind a cursor.

    Args:
        entries: The entries, ascending.
        next: The cursor to continue with.
        newest: The newest entry's number; 0 where there is none.
    """

    entries: Sequence[Entry]
    next: int
    newest: int


def newest(connection: Connection) -> int:
    """Return the number of the newest entry; 0 where there is none."""
    return connection.scalar(select(func.max(OUTBOX.c.seq))) or 0


def read_entries(
    connection: Connection,
    after: int,
    limit: int,
    *,
    subject_id: Bytes32 | None = None,
    kind: EntryKind | None = None,
) -> Batch:
    """Read what follows a cursor, at most `SCANNED` entries of it.

    Args:
        connection: In a transaction that sees one state.
        after: The cursor; 0 for the beginning.
        limit: The most entries.
        subject_id: Only entries about the subject with this id.
        kind: Only entries of this kind.

    Returns:
        The entries. Where there are fewer than the limit, the cursor to continue with may still be before the newest.
    """
    last = newest(connection)
    end = min(after + SCANNED, last)
    statement = select(OUTBOX).where(OUTBOX.c.seq > after, OUTBOX.c.seq <= end).order_by(OUTBOX.c.seq).limit(limit)
    if subject_id is not None:
        statement = statement.where(OUTBOX.c.subject_id == subject_id)
    if kind is not None:
        statement = statement.where(OUTBOX.c.entry == int(kind))
    entries = [Entry(*row) for row in connection.execute(statement)]
    return Batch(entries, entries[-1].seq if len(entries) == limit else max(after, end), last)


def reconcile(connection: Connection, events: Table, first: int, end: int) -> None:
    """Make the standing entries of a range of positions those of the table of events.

    What stands and is not in the table is retracted, the latest first, with the due entries that rest on it. What is
    in the table and does not stand is appended, in the order of the chain.

    Args:
        connection: In a transaction that writes.
        events: The table of events; its columns have the names of those of the outbox.
        first: The first position of the range.
        end: The position behind the range.
    """
    _lock(connection)
    in_range = and_(OUTBOX.c.is_standing, OUTBOX.c.position >= first, OUTBOX.c.position < end)
    chosen = select(*(events.c[name] for name in _EVENT_COLUMNS)).where(
        events.c.position >= first, events.c.position < end
    )
    if connection.scalar(select(exists().where(in_range))):
        has_event = exists().where(events.c.position == OUTBOX.c.position, events.c.block_hash == OUTBOX.c.block_hash)
        _retract(connection, and_(in_range, ~has_event))
        chosen = chosen.where(
            ~exists().where(
                OUTBOX.c.is_standing,
                OUTBOX.c.entry == int(EntryKind.EVENT),
                OUTBOX.c.position == events.c.position,
                OUTBOX.c.block_hash == events.c.block_hash,
            )
        )
    _append(connection, EntryKind.EVENT, chosen, _EVENT_COLUMNS, events.c.position)


def append_due(connection: Connection, due: Due) -> None:
    """Append a due entry, unless the same one stands already.

    Args:
        connection: In a transaction that writes.
        due: The entry. It is the same as another one with its name, position and block hash.
    """
    _lock(connection)
    is_there = exists().where(
        OUTBOX.c.is_standing,
        OUTBOX.c.entry == int(EntryKind.DUE),
        OUTBOX.c.position == due.position,
        OUTBOX.c.block_hash == due.block_hash,
        OUTBOX.c.name == due.name,
    )
    if connection.scalar(select(is_there)):
        return
    connection.execute(
        insert(OUTBOX).values(
            seq=newest(connection) + 1,
            entry=int(EntryKind.DUE),
            is_standing=True,
            position=due.position,
            block_hash=due.block_hash,
            timestamp=due.timestamp,
            transaction_hash=due.transaction_hash,
            subject_id=due.subject.id,
            account=due.account,
            written_at=database_time(connection),
            name=due.name,
            subject_kind=due.subject.kind,
            values=json.dumps(due.values),
        )
    )


def retract_due(connection: Connection, name: str, positions: Select[tuple[int]]) -> None:
    """Retract the due entries whose date was set by events that no longer set it.

    Args:
        connection: In a transaction that writes.
        name: What was due.
        positions: The positions of these events.
    """
    _lock(connection)
    is_due = and_(OUTBOX.c.is_standing, OUTBOX.c.entry == int(EntryKind.DUE), OUTBOX.c.name == name)
    if connection.scalar(select(exists().where(is_due, OUTBOX.c.position.in_(positions)))):
        _retract(connection, and_(is_due, OUTBOX.c.position.in_(positions)))


def _retract(connection: Connection, condition: ColumnElement[bool]) -> None:
    before = newest(connection)
    chosen = select(*(OUTBOX.c[name] for name in _COPIED), OUTBOX.c.seq).where(condition)
    _append(connection, EntryKind.RETRACTION, chosen, (*_COPIED, "retracts"), OUTBOX.c.seq.desc())
    retracted = select(OUTBOX.c.retracts).where(OUTBOX.c.seq > before)
    connection.execute(update(OUTBOX).where(OUTBOX.c.seq.in_(retracted)).values(is_standing=False))


def _append(
    connection: Connection,
    kind: EntryKind,
    chosen: Select[Any],
    columns: Sequence[str],
    order: ColumnElement[Any],
) -> None:
    """Append the rows of a statement. They are copied within the database: no row passes through this program."""
    rows = chosen.add_columns(
        literal(int(kind)), false() if kind is EntryKind.RETRACTION else true(), database_time(connection)
    ).order_by(order)
    columns = (*columns, "entry", "is_standing", "written_at")
    if connection.dialect.name == "postgresql":
        rows = rows.add_columns(func.row_number().over(order_by=order) + newest(connection))
        columns = (*columns, "seq")
    # Otherwise SQLite numbers the rows: each gets the highest number so far, and one. It counts faster so.
    connection.execute(insert(OUTBOX).from_select(columns, rows))


def _lock(connection: Connection) -> None:
    """Wait for every other writer of the outbox to end: numbers are given in the order of commits."""
    lock_values(connection, "outbox", [b""])
