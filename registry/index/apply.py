"""Apply events to the tables of the index; rewind them to a height.

The rows of a room are written by the room's projection. An event that cannot follow what is there shows that events are
missing, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from registry.base.primitives import Bytes32
from registry.feed import outbox
from registry.feed.tables import EVENTS
from registry.index.position import first_position
from registry.index.tables import BLOCKS
from registry.rooms.projection import BrokenHistory, IndexedEvent, Projection
from registry.storage.bulk import insert_rows
from registry.storage.errors import DUPLICATE_ERRORS
from registry.timers import schedule

EVENT_COLUMNS: Final = (
    "position",
    "block_hash",
    "timestamp",
    "transaction_hash",
    "kind",
    "subject_id",
    "account",
    "head",
    "topics",
    "data",
)


def apply(
    connection: Connection,
    projections: Sequence[Projection],
    events: Sequence[IndexedEvent],
    *,
    above: int,
    height: int,
) -> None:
    """Add events that follow all those that are in the index, with their numbers in the outbox.

    Args:
        connection: In a transaction that writes; the index's place is moved in it afterwards.
        projections: The rooms' parts of the index.
        events: The events in the order of the chain.
        above: The index's block before.
        height: The last block of these events: that of the index afterwards.

    Raises:
        BrokenHistory: One of them cannot follow; the transaction must be rolled back.
    """
    heads: dict[int, Bytes32 | None] = {}
    try:
        for projection in projections:
            kinds = frozenset(projection.kinds.values())
            own = [event for event in events if event.kind in kinds]
            if own:
                positions = [event.position for event in own]
                heads |= zip(positions, projection.apply(connection, own), strict=True)
        places = [(event.position, event.block_hash) for event in events]
        numbers = outbox.number_events(connection, places, first_position(above + 1), first_position(height + 1))
        rows = [event_row(event, heads[event.position], *number) for event, number in zip(events, numbers, strict=True)]
        insert_rows(connection, EVENTS, (*EVENT_COLUMNS, *outbox.NUMBER_COLUMNS), rows)
    except DUPLICATE_ERRORS as error:
        raise BrokenHistory(
            "The node gave an event that is in the index already.", hint="Rebuild the index: tdr index rebuild."
        ) from error


def rewind(connection: Connection, projections: Sequence[Projection], height: int) -> None:
    """Take away all events of blocks above a height, and all rows that they caused; retract them in the outbox.

    Args:
        connection: In a transaction that writes.
        projections: The rooms' parts of the index.
        height: The last block to keep.
    """
    limit = first_position(height + 1)
    touched = [
        list(
            connection.scalars(
                select(EVENTS.c.subject_id)
                .where(EVENTS.c.position >= limit, EVENTS.c.kind.in_(tuple(projection.kinds.values())))
                .distinct()
            )
        )
        for projection in projections
    ]
    last = connection.scalar(select(func.max(EVENTS.c.position)))
    connection.execute(delete(BLOCKS).where(BLOCKS.c.number > height))
    outbox.release_events(connection, limit)
    schedule.drop_derived(connection, limit)
    for projection, subject_ids in zip(projections, touched, strict=True):
        projection.rewind(connection, limit, subject_ids)
    if last is not None and last >= limit:
        outbox.retract_released(connection, limit, last + 1)


def event_row(event: IndexedEvent, head: Bytes32 | None, *number: int) -> tuple[Any, ...]:
    """Return the row of an event, in the order of `EVENT_COLUMNS`, with its number in the outbox if it is given."""
    return (
        event.position,
        event.block_hash,
        event.timestamp,
        event.transaction_hash,
        event.kind,
        event.event.subject.id,
        event.event.account,
        head,
        b"".join(event.log.topics),
        event.log.data,
        *number,
    )
