"""Request policies: whether the gateway accepts requests for access to a dataset."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Connection, Table, select, update

from registry.base.errors import Conflict
from registry.base.primitives import Bytes32, DatasetId
from registry.rooms.access.statements import RequestPolicy
from registry.statements.store import Accepted, keep
from registry.storage.columns import Fixed
from registry.storage.locks import lock_values
from registry.storage.metadata import METADATA

REQUEST_POLICIES = Table(
    "request_policies",
    METADATA,
    Column("dataset_id", Fixed(DatasetId), primary_key=True),
    Column("accepted", Boolean, nullable=False),
    Column("issued_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("statement", Fixed(Bytes32), nullable=False, comment="Its digest."),
)


def set_request_policy(connection: Connection, accepted: Accepted[RequestPolicy]) -> None:
    """Store whether the gateway accepts requests for access to a dataset.

    Args:
        connection: In a transaction that writes.
        accepted: The statement as it was accepted.

    Raises:
        Conflict: A policy that was issued later is in force.
        LimitReached: The owner has reached the number of policies for the hour.
    """
    statement = accepted.statement
    lock_values(connection, "requests", [statement.dataset_id])
    is_new = keep(connection, accepted)
    of_dataset = REQUEST_POLICIES.c.dataset_id == statement.dataset_id
    present = connection.execute(select(REQUEST_POLICIES).where(of_dataset)).one_or_none()
    if present is not None and present.statement == accepted.digest:
        return
    if not is_new or (present is not None and present.issued_at >= statement.issued_at):
        raise Conflict(
            "A policy that was issued later, or in the same second, is in force.",
            hint="Sign a policy with the current time.",
        )
    values = {"accepted": statement.accepted, "issued_at": statement.issued_at, "statement": accepted.digest}
    if present is None:
        connection.execute(REQUEST_POLICIES.insert().values({"dataset_id": statement.dataset_id} | values))
    else:
        connection.execute(update(REQUEST_POLICIES).where(of_dataset).values(values))


def accepts_requests(connection: Connection, dataset_id: DatasetId) -> bool:
    """Return whether the gateway accepts requests for access to a dataset; by default it does."""
    policy = connection.scalar(select(REQUEST_POLICIES.c.accepted).where(REQUEST_POLICIES.c.dataset_id == dataset_id))
    return policy is None or bool(policy)
