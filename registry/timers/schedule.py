"""Schedule timers, cancel them, and fire those that are due.

A timer is pending until its handler has succeeded. The handler runs in the transaction that marks the timer as done, so
its effect happens exactly once, even if the process stops. A done timer stays done, even if the clock is set back,
until it is cancelled. Time is always an argument.

Timers that follow from events of the chain are derived rows, like the tables of a room: they have the position of
their event, are removed when the index is rewound below it, and are derived again with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    cast,
    delete,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)

from registry.storage.bulk import insert_rows
from registry.storage.insert import insert_if_new
from registry.timers.tables import TIMERS

FIRST_PAUSE: Final = 5
"""Seconds until a timer is retried after its handler failed; doubled after each further failure."""
LONGEST_PAUSE: Final = 3_600
"""The maximum number of seconds until a timer is retried."""

_DERIVED: Final = ("name", "key", "position", "due_at")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer.

    Args:
        name: The name of its handler.
        key: Its key, unique among the timers of that name.
        due_at: When it is due, Unix seconds, UTC.
        position: The position of the event that it follows from; None if it follows from no event.
        payload: The argument of the handler; may be None.
    """

    name: str
    key: str
    due_at: int
    position: int | None = None
    payload: str | None = None


Handler = Callable[[Connection, Timer], None]
"""The function that runs when a timer is due: it writes the effect in the given transaction."""


def schedule(connection: Connection, timer: Timer) -> None:
    """Schedule a timer, or change the date of a pending one. A done timer does not change.

    Args:
        connection: In a transaction that writes.
        timer: The timer.
    """
    values = {"due_at": timer.due_at, "position": timer.position, "payload": timer.payload}
    is_new = insert_if_new(connection, TIMERS).values(name=timer.name, key=timer.key, **values)
    if connection.execute(is_new.returning(TIMERS.c.key)).one_or_none() is None:
        connection.execute(
            update(TIMERS)
            .where(_is(timer.name, timer.key), TIMERS.c.done_at.is_(None))
            .values(**values, failures=0, retry_at=None)
        )


def cancel(connection: Connection, name: str, key: str) -> None:
    """Remove a timer, pending or done, if it exists.

    Args:
        connection: In a transaction that writes.
        name: The timer's name.
        key: Its key.
    """
    connection.execute(delete(TIMERS).where(_is(name, key)))


def derive_new(connection: Connection, name: str, dates: Sequence[tuple[int, int]]) -> None:
    """Schedule a timer for each of some new events, as `derive` does.

    Args:
        connection: In a transaction that writes.
        name: The timers' name.
        dates: The position of each event, and when its timer is due.
    """
    rows = [(name, str(position), position, due_at) for position, due_at in dates]
    insert_rows(connection, TIMERS, _DERIVED, rows)


def derive(connection: Connection, name: str, dates: Select[tuple[int, int]]) -> None:
    """Schedule a timer for each of some events that have no timer of that name yet. Its key is the event's position.

    Args:
        connection: In a transaction that writes.
        name: The timers' name.
        dates: The position of each event, and when its timer is due.
    """
    rows = dates.subquery()
    position, due_at = rows.c
    connection.execute(
        insert(TIMERS).from_select(_DERIVED, select(literal(name), cast(position, String), position, due_at))
    )


def cancel_derived(connection: Connection, name: str, positions: Select[tuple[int]]) -> None:
    """Remove the timers that follow from events, pending or done.

    Args:
        connection: In a transaction that writes.
        name: The timers' name.
        positions: The positions of these events.
    """
    connection.execute(delete(TIMERS).where(TIMERS.c.name == name, TIMERS.c.position.in_(positions)))


def drop_derived(connection: Connection, first: int) -> None:
    """Remove all timers that follow from events at or after a position, pending or done."""
    connection.execute(delete(TIMERS).where(TIMERS.c.position >= first))


def has_due(connection: Connection, names: Mapping[str, Handler], now: int) -> bool:
    """Return whether any timer with a handler is due at a time (Unix seconds, UTC)."""
    return bool(connection.scalar(select(exists().where(_is_due(names, now)))))


def fire_due(connection: Connection, handlers: Mapping[str, Handler], now: int, limit: int) -> int:
    """Fire the timers that are due, ascending by date.

    If a handler fails, only its own effect is rolled back. Its timer stays pending; each further pause is longer.

    Args:
        connection: In a transaction that writes. The effects are visible once it is committed.
        handlers: The handlers by name. Timers of other names are not fired.
        now: The present, Unix seconds, UTC.
        limit: The maximum number of timers.

    Returns:
        The number of timers tried, including those that failed.
    """
    rows = connection.execute(
        select(TIMERS)
        .where(_is_due(handlers, now))
        .order_by(TIMERS.c.due_at, TIMERS.c.name, TIMERS.c.key)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        timer = Timer(row.name, row.key, row.due_at, row.position, row.payload)
        try:
            with connection.begin_nested():
                handlers[timer.name](connection, timer)
        except Exception as error:
            log.exception("the timer %s %s failed and will be retried: %s", timer.name, timer.key, type(error).__name__)
            outcome = {"failures": row.failures + 1, "retry_at": now + _pause(row.failures)}
        else:
            outcome = {"done_at": now}
        connection.execute(update(TIMERS).where(_is(timer.name, timer.key)).values(**outcome))
    return len(rows)


def _pause(failures: int) -> int:
    return int(min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE))


def _is(name: str, key: str) -> ColumnElement[bool]:
    return and_(TIMERS.c.name == name, TIMERS.c.key == key)


def _is_due(names: Mapping[str, Handler], now: int) -> ColumnElement[bool]:
    return and_(
        TIMERS.c.done_at.is_(None),
        TIMERS.c.due_at <= now,
        TIMERS.c.name.in_(sorted(names)),
        # A pause that ends later than the longest possible one was started while the clock was ahead.
        or_(TIMERS.c.retry_at.is_(None), TIMERS.c.retry_at <= now, TIMERS.c.retry_at > now + LONGEST_PAUSE),
    )
