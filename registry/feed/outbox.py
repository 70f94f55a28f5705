"""Write the outbox and read it by cursor.

An event of the chain is an entry. While it is in the index, its row in the table of events has its number, and there is
only this row. When the index removes the row, it moves to the outbox: the event is *released*. It stays there until it
comes again (the index is rebuilt), or until it is retracted (the chain reverted it).

Invariants, each held by a test in tests/feed:

F1. Entries are only appended. `seq` counts from 1 without gaps, in the order of commits: whoever has read up to a
    number finds everything that comes later behind it. Every writer takes the lock of the outbox before it takes a
    number.
F2. Up to the index's block, the standing entries of kind `event` are exactly the events of the index, recognised by
    position and block hash.
F3. Each event and due entry is taken back by at most one retraction, which comes later and names it.
F4. A rebuild of the index appends nothing for an event that stands, and takes back what the chain no longer has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)

from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.feed.tables import EVENTS, OUTBOX
from registry.storage.clock import database_time
from registry.storage.locks import lock_values

SCANNED: Final = 10_000
"""How many entries one read looks at: with a filter that fits few, reading stays bounded."""
NUMBER_COLUMNS: Final = ("seq", "written_at")
"""The columns of the table of events that `number_events` returns the values of."""
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
    """An entry; its fields are the columns of `registry.feed.tables.OUTBOX`."""

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


_ENTRY_ROWS: Final = select(*(OUTBOX.c[name] for name in Entry._fields))
_EVENT_ENTRY: Final[Mapping[str, ColumnElement[Any]]] = {
    "entry": literal(int(EntryKind.EVENT)),
    "is_standing": true(),
    **EVENTS.c,
}
_EVENT_ROWS: Final = select(*(_EVENT_ENTRY.get(name, null()).label(name) for name in Entry._fields))
"""The events of the index as entries."""
_NEWEST: Final = select(
    select(func.max(OUTBOX.c.seq)).scalar_subquery(), select(func.max(EVENTS.c.seq)).scalar_subquery()
)


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
    return max(number or 0 for number in connection.execute(_NEWEST).one())


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
    entries: list[Entry] = []
    for table, rows in ((OUTBOX, _ENTRY_ROWS), (EVENTS, _EVENT_ROWS)):
        statement = rows.where(table.c.seq > after, table.c.seq <= end).order_by(table.c.seq).limit(limit)
        if subject_id is not None:
            # An expression is in no index: the range of numbers is read, and not all events of the subject.
            statement = statement.where(func.coalesce(table.c.subject_id, table.c.subject_id) == subject_id)
        if kind is not None:
            statement = statement.where(rows.selected_columns.entry == int(kind))
        entries += (Entry(*row) for row in connection.execute(statement))
    entries = sorted(entries)[:limit]  # By their numbers, which come first.
    return Batch(entries, entries[-1].seq if len(entries) == limit else max(after, end), last)


def number_events(
    connection: Connection, places: Sequence[tuple[int, Bytes32]], first: int, end: int
) -> list[tuple[int, int]]:
    """Return the values of `NUMBER_COLUMNS` for the events of a range of positions, which are inserted with them.

    Released events that come again keep both values. Those that do not come again are retracted.

    Args:
        connection: In a transaction that writes.
        places: Position and block hash of all events of the range, in the order of the chain.
        first: The first position of the range.
        end: The position behind the range.
    """
    _lock(connection)
    in_index, in_outbox, now, has_released = connection.execute(
        _NEWEST.add_columns(database_time(connection), exists().where(_released(first, end)))
    ).one()
    last = max(in_index or 0, in_outbox or 0)
    kept: Mapping[tuple[int, Bytes32], tuple[int, int]] = {}
    if has_released:
        # What is taken again is in neither table until the caller has inserted it.
        kept = _take_again(connection, places, first, end)
        last = _retract(connection, _rests_on_released(first, end), last)
    numbers = count(last + 1)
    return [kept.get(place) or (next(numbers), now) for place in places]


def release_events(connection: Connection, first: int) -> None:
    """Move the events of the index from a position on into the outbox. Their entries stand as they did.

    Args:
        connection: In a transaction that writes.
        first: The position.
    """
    rows = _EVENT_ROWS.where(EVENTS.c.position >= first)
    connection.execute(insert(OUTBOX).from_select(Entry._fields, rows))
    connection.execute(delete(EVENTS).where(EVENTS.c.position >= first))


def retract_released(connection: Connection, first: int, end: int) -> None:
    """Retract the released events of a range of positions, the latest first, with the due entries that rest on them.

    Args:
        connection: In a transaction that writes.
        first: The first position of the range.
        end: The position behind the range.
    """
    _lock(connection)
    _retract(connection, _rests_on_released(first, end), newest(connection))


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
        _retract(connection, and_(is_due, OUTBOX.c.position.in_(positions)), newest(connection))


def _take_again(
    connection: Connection, places: Sequence[tuple[int, Bytes32]], first: int, end: int
) -> dict[tuple[int, Bytes32], tuple[int, int]]:
    """Take the rows of released events that come again out of the outbox; return their values by place."""
    columns = OUTBOX.c.position, OUTBOX.c.block_hash, OUTBOX.c.seq, OUTBOX.c.written_at
    rows = connection.execute(select(*columns).where(_released(first, end))).all()
    coming = set(places)
    kept = {
        (position, block_hash): (seq, written_at)
        for position, block_hash, seq, written_at in rows
        if (position, block_hash) in coming
    }
    if kept:
        parameters = [{"number": seq} for seq, _ in kept.values()]
        connection.execute(delete(OUTBOX).where(OUTBOX.c.seq == bindparam("number")), parameters)
    return kept


def _released(first: int, end: int) -> ColumnElement[bool]:
    """Select the entries of the events of a range of positions that the index does not have, and that stand."""
    return and_(
        OUTBOX.c.is_standing,
        OUTBOX.c.entry == int(EntryKind.EVENT),
        OUTBOX.c.position >= first,
        OUTBOX.c.position < end,
    )


def _rests_on_released(first: int, end: int) -> ColumnElement[bool]:
    """Select the released events of a range of positions, and the due entries that rest on them."""
    event = OUTBOX.alias()
    is_of_released = exists().where(
        event.c.is_standing,
        event.c.entry == int(EntryKind.EVENT),
        event.c.position == OUTBOX.c.position,
        event.c.block_hash == OUTBOX.c.block_hash,
    )
    return and_(OUTBOX.c.is_standing, OUTBOX.c.position >= first, OUTBOX.c.position < end, is_of_released)


def _retract(connection: Connection, condition: ColumnElement[bool], last: int) -> int:
    """Append a retraction for each entry that fulfils a condition, the latest first, within the database.

    Args:
        connection: In a transaction that writes.
        condition: The entries.
        last: The number of the newest entry.

    Returns:
        The number of the newest entry afterwards.
    """
    latest_first = OUTBOX.c.seq.desc()
    rows = select(
        *(OUTBOX.c[name] for name in _COPIED),
        OUTBOX.c.seq,
        func.row_number().over(order_by=latest_first) + last,
        literal(int(EntryKind.RETRACTION)),
        false(),
        database_time(connection),
    )
    columns = (*_COPIED, "retracts", "seq", "entry", "is_standing", "written_at")
    connection.execute(insert(OUTBOX).from_select(columns, rows.where(condition).order_by(latest_first)))
    retracted = select(OUTBOX.c.retracts).where(OUTBOX.c.seq > last)
    lost = connection.execute(update(OUTBOX).where(OUTBOX.c.seq.in_(retracted)).values(is_standing=False))
    return last + lost.rowcount


def _lock(connection: Connection) -> None:
    """Wait for every other writer of the outbox to end: numbers are given in the order of commits."""
    lock_values(connection, "outbox", [b""])
