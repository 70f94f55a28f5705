"""Schedule timers, cancel them, and fire those that are due.

A timer is pending until its handler has succeeded, in the same transaction that marks it as done: so its effect happens
exactly once, whatever stops the process. A done timer stays done, whatever the clock shows later, until it is
cancelled. Time is always an argument.

Timers that follow from events of the chain are derived rows, like the tables of a room: they carry the position of
their event, are dropped when the index goes back behind it, and are derived again with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
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

from registry.storage.insert import insert_if_new
from registry.timers.tables import TIMERS

FIRST_PAUSE: Final = 5
"""Seconds until a timer is tried again whose handler failed; doubled after each further failure."""
LONGEST_PAUSE: Final = 3_600
"""The most seconds until a timer is tried again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer.

    Args:
        name: Which handler it calls.
        key: Which one of that name.
        due_at: When it is due, Unix seconds, UTC.
        position: The position of the event that it follows from; None where it follows from none.
        payload: What the handler is given; None for nothing.
    """

    name: str
    key: str
    due_at: int
    position: int | None = None
    payload: str | None = None


Handler = Callable[[Connection, Timer], None]
"""What a timer does when it is due: writes its effect, in the transaction that it is given."""


def schedule(connection: Connection, timer: Timer) -> None:
    """Schedule a timer, or move a pending one to another date. A timer that is done stays as it is.

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
    """Remove a timer, pending or done. Nothing happens where there is none.

    Args:
        connection: In a transaction that writes.
        name: The timer's name.
        key: Its key.
    """
    connection.execute(delete(TIMERS).where(_is(name, key)))


def derive(connection: Connection, name: str, dates: Select[tuple[int, int]]) -> None:
    """Schedule a timer for each of some events; it has none of that name yet. The key is the event's position.

    Args:
        connection: In a transaction that writes.
        name: The timers' name.
        dates: The position of each event, and when its timer is due.
    """
    rows = dates.subquery()
    position, due_at = rows.c
    connection.execute(
        insert(TIMERS).from_select(
            ["name", "key", "position", "due_at"], select(literal(name), cast(position, String), position, due_at)
        )
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
    """Remove all timers that follow from events at or behind a position, pending or done."""
    connection.execute(delete(TIMERS).where(TIMERS.c.position >= first))


def has_due(connection: Connection, names: Mapping[str, Handler], now: int) -> bool:
    """Return whether any timer with a handler is due at a time (Unix seconds, UTC)."""
    return bool(connection.scalar(select(exists().where(_is_due(names, now)))))


def fire_due(connection: Connection, handlers: Mapping[str, Handler], now: int, limit: int) -> int:
    """Fire timers that are due, in the order of their dates.

    A handler that fails undoes its own effect only. Its timer stays due, and is tried again after a pause that grows.

    Args:
        connection: In a transaction that writes. The timers are fired when it is committed.
        handlers: What timers do, by their names. Timers of other names are left alone.
        now: The present, Unix seconds, UTC.
        limit: The most timers.

    Returns:
        How many timers were tried.
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
            log.exception("the timer %s %s failed and is tried again: %s", timer.name, timer.key, type(error).__name__)
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
        # A pause that ends later than the longest one was begun by a clock that was ahead.
        or_(TIMERS.c.retry_at.is_(None), TIMERS.c.retry_at <= now, TIMERS.c.retry_at > now + LONGEST_PAUSE),
    )
