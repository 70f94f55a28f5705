"""Announce the expiry of grants: a timer for each grant, and an entry in the outbox when it is due.

A grant that is revoked or replaced before its expiry never expires. An end at its expiry or later changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, select

from registry.base.subject import Subject
from registry.base.times import LAST_SECOND
from registry.feed.outbox import Due, append_due, retract_due
from registry.feed.tables import EVENTS
from registry.rooms.access.tables import GRANTS
from registry.rooms.datasets.messages import DATASET
from registry.timers.schedule import Timer, cancel_derived, derive, derive_new

TIMER: Final = "access-expiry"
EXPIRED: Final = "AccessExpired"
"""The name of the entry in the outbox."""

_DATES: Final = select(GRANTS.c.position, GRANTS.c.expires_at).where(GRANTS.c.expires_at <= LAST_SECOND)
"""Grants that expire after the last second that dates can represent have no timer."""


def follow(connection: Connection, expiries: Sequence[tuple[int, int]], first: int, *, has_ends: bool) -> None:
    """Update timers after new grants and ends of grants: schedule expiries, and cancel those that no longer occur.

    Args:
        connection: In a transaction that writes.
        expiries: The position and the expiry of each new grant that will expire.
        first: The position of the first new event.
        has_ends: Whether any of these events may have ended a grant.
    """
    derive_new(connection, TIMER, [date for date in expiries if date[1] <= LAST_SECOND])
    if not has_ends:
        return
    # If blocks came late or were replaced by others, the entry may already exist.
    ended = select(GRANTS.c.position).where(_ended_early(first))
    cancel_derived(connection, TIMER, ended)
    retract_due(connection, EXPIRED, ended)


def restore(connection: Connection, limit: int) -> None:
    """Schedule the expiry of grants again whose early end is undone.

    Args:
        connection: In a transaction that writes. The ends are still in the table; later grants are not.
        limit: The position from which everything is undone.
    """
    derive(connection, TIMER, _DATES.where(_ended_early(limit)))


def announce(connection: Connection, timer: Timer) -> None:
    """Append the expiry of a timer's grant to the outbox.

    Args:
        connection: In a transaction that writes.
        timer: The timer; its position is the grant's.
    """
    row = connection.execute(
        select(GRANTS, EVENTS.c.block_hash, EVENTS.c.timestamp, EVENTS.c.transaction_hash)
        .join_from(GRANTS, EVENTS, GRANTS.c.position == EVENTS.c.position)
        .where(GRANTS.c.position == timer.position)
    ).one()
    append_due(
        connection,
        Due(
            name=EXPIRED,
            subject=Subject(DATASET, row.dataset_id),
            account=row.grantee,
            position=row.position,
            block_hash=row.block_hash,
            timestamp=row.timestamp,
            transaction_hash=row.transaction_hash,
            values={"grantee": str(row.grantee), "epoch": row.epoch, "expiresAt": row.expires_at},
        ),
    )


def _ended_early(first: int) -> ColumnElement[bool]:
    """Select the grants that an event at or after a position ended before their expiry."""
    return and_(GRANTS.c.ended_position >= first, GRANTS.c.ended_at < GRANTS.c.expires_at)
