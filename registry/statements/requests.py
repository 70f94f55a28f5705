"""Limits on requests for access: anybody may ask, and the gateway pays, so no dataset gets more than a few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Select, exists, func, select

from registry.access.messages import AccessRequest
from registry.errors import Conflict
from registry.index.events import Kind
from registry.index.tables import EVENTS, STATE
from registry.primitives import Address, DatasetId
from registry.relay.receipts import Status
from registry.relay.tables import RECEIPTS
from registry.statements.store import accepts_requests
from registry.storage.locks import lock_values

MAX_OPEN_OF_GRANTEE: Final = 3
"""Most requests of one account for one dataset that may be unanswered at once."""
_DIRECT: Final = "The contract can be asked directly: send requestAccess from your own account."


def limiting(message: AccessRequest, maximum: int) -> Callable[[Connection], None]:
    """Return the check that a request is within the limits, for the transaction that accepts it.

    Args:
        message: The request.
        maximum: Most unanswered requests for the dataset.

    Raises:
        Conflict: Raised by the check: the owner takes no requests here, or there are too many already.
    """

    def check(connection: Connection) -> None:
        lock_values(connection, "requests", [message.dataset_id])
        if not accepts_requests(connection, message.dataset_id):
            raise Conflict("The owner of this dataset takes no requests for access through this gateway.", hint=_DIRECT)
        if _count(connection, message.dataset_id, message.grantee, MAX_OPEN_OF_GRANTEE + 1) > MAX_OPEN_OF_GRANTEE:
            raise Conflict(
                f"{message.grantee} has {MAX_OPEN_OF_GRANTEE} unanswered requests for this dataset already.",
                hint="Wait for the owner's answer.",
            )
        if _count(connection, message.dataset_id, None, maximum + 1) > maximum:
            raise Conflict(
                f"This dataset has {maximum} unanswered requests already, and the gateway takes no more.",
                hint=f"Wait until its owner has answered some. {_DIRECT}",
            )

    return check


def _count(connection: Connection, dataset_id: DatasetId, grantee: Address | None, at_most: int) -> int:
    """Return how many requests are open, those that were just accepted included; no more than `at_most` are counted."""
    several = (_open_on_chain(dataset_id, grantee), _on_the_way(connection, dataset_id, grantee))
    return sum(
        connection.execute(select(func.count()).select_from(rows.limit(at_most).subquery())).scalar_one()
        for rows in several
    )


def _open_on_chain(dataset_id: DatasetId, grantee: Address | None) -> Select[int]:
    """Requests in the index that neither a grant nor a revocation followed."""
    answer = EVENTS.alias()
    rows = select(EVENTS.c.position).where(
        EVENTS.c.dataset_id == dataset_id,
        EVENTS.c.kind == int(Kind.REQUESTED),
        ~exists().where(
            answer.c.dataset_id == EVENTS.c.dataset_id,
            answer.c.account == EVENTS.c.account,
            answer.c.position > EVENTS.c.position,
            answer.c.kind != int(Kind.REQUESTED),
        ),
    )
    return rows if grantee is None else rows.where(EVENTS.c.account == grantee)


def _on_the_way(connection: Connection, dataset_id: DatasetId, grantee: Address | None) -> Select[int]:
    """Accepted requests that the index does not know yet."""
    height = connection.scalar(select(STATE.c.height)) or 0
    waiting = RECEIPTS.c.status.in_([Status.ACCEPTED, Status.SIGNED, Status.SENT])
    mined = (RECEIPTS.c.status == Status.MINED) & (RECEIPTS.c.block_number > height)
    rows = select(RECEIPTS.c.seq).where(
        RECEIPTS.c.dataset_id == dataset_id, RECEIPTS.c.kind == AccessRequest.__name__, waiting | mined
    )
    return rows if grantee is None else rows.where(RECEIPTS.c.signer == grantee)
