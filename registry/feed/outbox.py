"""Write the outbox.

An event of the chain is an entry. While the event is in the index, its only row is in the table of events and includes
the entry's number. When the index removes the event, the row moves to the outbox: the event is *released*. It stays
there until it is indexed again (after a rebuild) or retracted (the chain reverted it). An entry that has not been
retracted is *standing*.

Invariants, each held by a test in tests/feed:

F1. Entries are only appended. `seq` counts from 1 without gaps, in the order of commits: after reading up to a
    number, a consumer finds all later entries above it. Every writer locks the outbox before it takes a number.
F2. Up to the index's block, the standing entries of kind `event` are exactly the events of the index, recognised by
    position and block hash.
F3. Each event and due entry is retracted at most once, by a later entry that names it.
F4. A rebuild of the index appends nothing for a standing entry, and retracts the events that the chain no longer has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

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
    select,
    update,
)

from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.feed.entries import EVENT_ROWS, NEWEST, Entry, EntryKind, newest
from registry.feed.tables import EVENTS, OUTBOX
from registry.storage.clock import database_time
from registry.storage.locks import lock_values

NUMBER_COLUMNS: Final = ("seq", "written_at")
"""The columns of the table of events whose values `number_events` returns."""
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


@dataclass(frozen=True, slots=True)
class Due:
    """A date that was reached.

    Args:
        name: What is due.
        subject: What it is about.
        account: A second account that it concerns; the zero address for none.
        position: The position of the event that set the date.
        block_hash: The hash of that event's block.
        timestamp: The time of that block, Unix seconds, UTC.
        transaction_hash: The hash of that event's transaction.
        values: Further values, ready for JSON.
    """

    name: str
    subject: Subject
    account: Address
    position: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32
    values: Mapping[str, Any]


def number_events(
    connection: Connection, places: Sequence[tuple[int, Bytes32]], first: int, end: int
) -> list[tuple[int, int]]:
    """Return the values of `NUMBER_COLUMNS` for the events of a range of positions; the caller inserts them.

    Released events that are indexed again keep both values. Those that are not are retracted.

    Args:
        connection: In a transaction that writes.
        places: Position and block hash of all events of the range, in the order of the chain.
        first: The first position of the range.
        end: The position after the range.
    """
    _lock(connection)
    in_index, in_outbox, now, has_released = connection.execute(
        NEWEST.add_columns(database_time(connection), exists().where(_released(first, end)))
    ).one()
    last = max(in_index or 0, in_outbox or 0)
    kept: Mapping[tuple[int, Bytes32], tuple[int, int]] = {}
    if has_released:
        # The rows taken here are in neither table until the caller inserts them.
        kept = _take_rows(connection, places, first, end)
        last = _retract(connection, _depends_on_released(first, end), last)
    if not kept:
        return [(number, now) for number in range(last + 1, last + 1 + len(places))]
    numbers = count(last + 1)
    return [kept.get(place) or (next(numbers), now) for place in places]


def release_events(connection: Connection, first: int) -> None:
    """Move the events of the index from a position on into the outbox. Their entries do not change.

    Args:
        connection: In a transaction that writes.
        first: The position.
    """
    rows = EVENT_ROWS.where(EVENTS.c.position >= first)
    connection.execute(insert(OUTBOX).from_select(Entry._fields, rows))
    connection.execute(delete(EVENTS).where(EVENTS.c.position >= first))


def retract_released(connection: Connection, first: int, end: int) -> None:
    """Retract the released events of a range of positions, latest first, and the due entries that depend on them.

    Args:
        connection: In a transaction that writes.
        first: The first position of the range.
        end: The position after the range.
    """
    _lock(connection)
    _retract(connection, _depends_on_released(first, end), newest(connection))


def append_due(connection: Connection, due: Due) -> None:
    """Append a due entry, unless the same entry is standing.

    Args:
        connection: In a transaction that writes.
        due: The entry. Entries with equal name, position and block hash are the same.
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


def _take_rows(
    connection: Connection, places: Sequence[tuple[int, Bytes32]], first: int, end: int
) -> dict[tuple[int, Bytes32], tuple[int, int]]:
    """Remove the rows of released events that are indexed again from the outbox; return their values by place."""
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
    """Select the standing entries of the events of a range of positions that the index does not have."""
    return and_(
        OUTBOX.c.is_standing,
        OUTBOX.c.entry == int(EntryKind.EVENT),
        OUTBOX.c.position >= first,
        OUTBOX.c.position < end,
    )


def _depends_on_released(first: int, end: int) -> ColumnElement[bool]:
    """Select the released events of a range of positions, and the due entries that depend on them."""
    event = OUTBOX.alias()
    is_of_released = exists().where(
        event.c.is_standing,
        event.c.entry == int(EntryKind.EVENT),
        event.c.position == OUTBOX.c.position,
        event.c.block_hash == OUTBOX.c.block_hash,
    )
    return and_(OUTBOX.c.is_standing, OUTBOX.c.position >= first, OUTBOX.c.position < end, is_of_released)


def _retract(connection: Connection, condition: ColumnElement[bool], last: int) -> int:
    """Append a retraction for each entry that meets a condition, latest first, within the database.

    Args:
        connection: In a transaction that writes.
        condition: Selects the entries.
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
    """Wait for the other writers of the outbox to finish, because numbers must be in the order of commits."""
    lock_values(connection, "outbox", [b""])
