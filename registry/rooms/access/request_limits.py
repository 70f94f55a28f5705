"""Limits on pending requests for access: anyone may request, and the gateway pays for the transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Select, exists, func, select

from registry.base.errors import Conflict
from registry.base.primitives import Address, DatasetId
from registry.feed.tables import EVENTS
from registry.index.tables import STATE
from registry.relay.receipts import Status
from registry.relay.tables import RECEIPTS
from registry.rooms.access.errors import DIRECT, requests_closed
from registry.rooms.access.events import AccessGranted, AccessRequested, AccessRevoked
from registry.rooms.access.messages import AccessRequest
from registry.rooms.access.policies import accepts_requests
from registry.rooms.access.projection import KINDS
from registry.storage.locks import lock_values

REQUESTED: Final = KINDS[AccessRequested]
ANSWERS: Final = (KINDS[AccessGranted], KINDS[AccessRevoked])

MAX_OPEN_OF_GRANTEE: Final = 3
"""The most pending requests of one account for one dataset."""


def limiting(message: AccessRequest, maximum: int) -> Callable[[Connection], None]:
    """Return a check that a request is within the limits, to run in the transaction that accepts it.

    The check raises Conflict if the owner does not accept requests here, or if too many are pending.

    Args:
        message: The request.
        maximum: The most pending requests for the dataset.
    """

    def check(connection: Connection) -> None:
        lock_values(connection, "requests", [message.dataset_id])
        _require(connection, message, maximum, others_only=False)

    return check


def require_room(connection: Connection, message: AccessRequest, maximum: int) -> None:
    """Require that one more request is within the limits. Another request may still be accepted before it.

    A request whose number the index already has passes: it has taken effect, or the contract will refuse it.

    Args:
        connection: In a transaction.
        message: The request.
        maximum: The most pending requests for the dataset.

    Raises:
        Conflict: The owner does not accept requests here, or too many are pending.
    """
    if not _is_indexed(connection, message):
        _require(connection, message, maximum, others_only=True)


def _require(connection: Connection, message: AccessRequest, maximum: int, *, others_only: bool) -> None:
    """Require that the pending requests are within the limits; with `others_only`, that there is room for one more."""
    room_left = int(others_only)
    of_grantee, of_all = MAX_OPEN_OF_GRANTEE - room_left, maximum - room_left
    if not accepts_requests(connection, message.dataset_id):
        raise requests_closed()
    if _count(connection, message.dataset_id, message.grantee, of_grantee + 1) > of_grantee:
        raise Conflict(
            f"{message.grantee} has {MAX_OPEN_OF_GRANTEE} unanswered requests for this dataset.",
            hint="Wait for the owner's answer.",
        )
    if _count(connection, message.dataset_id, None, of_all + 1) > of_all:
        raise Conflict(
            f"This dataset has {maximum} unanswered requests, and the gateway does not accept more.",
            hint=f"Wait until its owner has answered some. {DIRECT}",
        )


def _is_indexed(connection: Connection, message: AccessRequest) -> bool:
    """Return whether the index has more of the grantee's requests for the dataset than the message names."""
    rows = select(EVENTS.c.position).where(
        EVENTS.c.subject_id == message.dataset_id,
        EVENTS.c.account == message.grantee,
        EVENTS.c.kind == REQUESTED,
    )
    known = rows.limit(message.requests + 1).subquery()
    return connection.execute(select(func.count()).select_from(known)).scalar_one() > message.requests


def _count(connection: Connection, dataset_id: DatasetId, grantee: Address | None, at_most: int) -> int:
    """Return the number of pending requests, just accepted ones included. Each kind is counted up to `at_most`."""
    selections = (_open_on_chain(dataset_id, grantee), _not_indexed(connection, dataset_id, grantee))
    return sum(
        connection.execute(select(func.count()).select_from(rows.limit(at_most).subquery())).scalar_one()
        for rows in selections
    )


def _open_on_chain(dataset_id: DatasetId, grantee: Address | None) -> Select[int]:
    """Select the requests in the index that no grant or revocation followed."""
    answer = EVENTS.alias()
    rows = select(EVENTS.c.position).where(
        EVENTS.c.subject_id == dataset_id,
        EVENTS.c.kind == REQUESTED,
        ~exists().where(
            answer.c.subject_id == EVENTS.c.subject_id,
            answer.c.account == EVENTS.c.account,
            answer.c.position > EVENTS.c.position,
            answer.c.kind.in_(ANSWERS),
        ),
    )
    return rows if grantee is None else rows.where(EVENTS.c.account == grantee)


def _not_indexed(connection: Connection, dataset_id: DatasetId, grantee: Address | None) -> Select[int]:
    """Select the accepted requests that are not in the index yet."""
    height = connection.scalar(select(STATE.c.height)) or 0
    waiting = RECEIPTS.c.status.in_([Status.ACCEPTED, Status.SIGNED, Status.SENT])
    # Whatever its outcome: a failed request counts until the index reaches its block, so that no final one is missed.
    mined = RECEIPTS.c.block_number > height
    rows = select(RECEIPTS.c.seq).where(
        RECEIPTS.c.subject_id == dataset_id, RECEIPTS.c.kind == AccessRequest.__name__, waiting | mined
    )
    return rows if grantee is None else rows.where(RECEIPTS.c.signer == grantee)
