"""Read the outbox by cursor.

The entries of events in the index are in the table of events, all others in the outbox: see `registry.feed.outbox`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, literal, null, select, true

from registry.base.primitives import Address, Bytes32
from registry.feed.tables import EVENTS, OUTBOX

SCANNED: Final = 10_000
"""The most entries that one read examines, so that a filter with few matches cannot make it long."""


class EntryKind(IntEnum):
    """The kinds of entries."""

    EVENT = 0
    """An event of the chain was indexed."""
    RETRACTION = 1
    """An earlier entry is no longer valid: its block was reverted, or the event that set its date no longer does."""
    DUE = 2
    """A date was reached."""

    @property
    def word(self) -> str:
        """The kind in JSON and in queries."""
        return self.name.lower()


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
EVENT_ROWS: Final = select(*(_EVENT_ENTRY.get(name, null()).label(name) for name in Entry._fields))
"""The events of the index as entries."""
NEWEST: Final = select(
    select(func.max(OUTBOX.c.seq)).scalar_subquery(), select(func.max(EVENTS.c.seq)).scalar_subquery()
)
"""Select the newest number in either table; null if it is empty."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries after a cursor.

    Args:
        entries: The entries, ascending.
        next: The cursor to continue with.
        newest: The number of the newest entry; 0 if there are no entries.
    """

    entries: Sequence[Entry]
    next: int
    newest: int


def newest(connection: Connection) -> int:
    """Return the number of the newest entry; 0 if there are no entries."""
    return max(number or 0 for number in connection.execute(NEWEST).one())


def read_entries(
    connection: Connection,
    after: int,
    limit: int,
    *,
    subject_id: Bytes32 | None = None,
    kind: EntryKind | None = None,
) -> Batch:
    """Read the entries after a cursor; examine at most `SCANNED` of them.

    Args:
        connection: In a transaction that sees one state.
        after: The cursor; 0 for the beginning.
        limit: The maximum number of entries.
        subject_id: Only entries about the subject with this id.
        kind: Only entries of this kind.

    Returns:
        The entries. If there are fewer than the limit, the cursor to continue with may still be below the newest.
    """
    last = newest(connection)
    end = min(after + SCANNED, last)
    entries: list[Entry] = []
    for table, rows in ((OUTBOX, _ENTRY_ROWS), (EVENTS, EVENT_ROWS)):
        statement = rows.where(table.c.seq > after, table.c.seq <= end).order_by(table.c.seq).limit(limit)
        if subject_id is not None:
            # The expression prevents the use of an index on the subject: it would read all events of the subject.
            statement = statement.where(func.coalesce(table.c.subject_id, table.c.subject_id) == subject_id)
        if kind is not None:
            statement = statement.where(rows.selected_columns.entry == int(kind))
        entries += (Entry(*row) for row in connection.execute(statement))
    entries = sorted(entries)[:limit]  # By number, which is the first field.
    return Batch(entries, entries[-1].seq if len(entries) == limit else max(after, end), last)
