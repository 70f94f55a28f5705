"""Store accepted statements: each one once, and a limited number per hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson
from sqlalchemy import Connection, exists, select

from registry.base.errors import LimitReached
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.eip712 import Statement
from registry.statements.tables import STATEMENTS
from registry.storage.insert import insert_if_new
from registry.storage.locks import lock_values

HOUR: Final = 3600

AnyStatement = TypeVar("AnyStatement", bound=Statement)


@dataclass(frozen=True, slots=True)
class Accepted(Generic[AnyStatement]):
    """A statement that was checked: signed by the owner of its subject, before its deadline.

    Args:
        statement: The statement.
        digest: What was signed, 32 bytes.
        signature: The signature.
        signer: The owner.
        at: When it was accepted, Unix seconds.
        per_hour: How many statements of its kind the owner may make about the subject in an hour.
    """

    statement: AnyStatement
    digest: Bytes32
    signature: bytes
    signer: Address
    at: float
    per_hour: int


def is_kept(connection: Connection, digest: Bytes32) -> bool:
    """Return whether the statement with a digest was accepted before."""
    return bool(connection.scalar(select(exists().where(STATEMENTS.c.digest == digest))))


def keep(connection: Connection, accepted: Accepted[Any]) -> bool:
    """Store a statement; return whether it is new.

    Raises:
        LimitReached: It is new, and its owner has reached the number of its kind for the hour.
    """
    statement: Statement = accepted.statement
    dataset_id = DatasetId(statement.subject.id)
    lock_values(connection, "statements", [dataset_id])
    values = {
        "digest": accepted.digest,
        "kind": type(statement).__name__,
        "dataset_id": dataset_id,
        "message": orjson.dumps(statement.to_json()).decode(),
        "signature": accepted.signature,
        "signer": accepted.signer,
        "accepted_at": accepted.at,
    }
    insert = insert_if_new(connection, STATEMENTS).values(values).returning(STATEMENTS.c.digest)
    is_new = connection.execute(insert).first() is not None
    if is_new:
        _require_room(connection, accepted)
    return is_new


def _require_room(connection: Connection, accepted: Accepted[Any]) -> None:
    """Require that a statement, which was just stored, is within the limit.

    Each kind is counted on its own, so that published documents can be retracted in the same hour. Each owner is
    counted on its own, so that a former owner does not use up the limit of the next.
    """
    kind = type(accepted.statement).__name__
    same_kind = (
        STATEMENTS.c.dataset_id == DatasetId(accepted.statement.subject.id),
        STATEMENTS.c.signer == accepted.signer,
        STATEMENTS.c.kind == kind,
        STATEMENTS.c.accepted_at > accepted.at - HOUR,
        STATEMENTS.c.digest != accepted.digest,
    )
    times = select(STATEMENTS.c.accepted_at).where(*same_kind).order_by(STATEMENTS.c.accepted_at.desc())
    latest = connection.scalars(times.limit(accepted.per_hour)).all()
    if len(latest) >= accepted.per_hour:
        first = latest[-1] if latest else accepted.at
        raise LimitReached(
            f"The owner has made {accepted.per_hour} statements of the kind {kind} about this dataset within an hour,"
            " the most that the gateway accepts. Nothing was accepted.",
            hint="Try again later; one statement can be about both documents of a version.",
            retry_after=max(1.0, first + HOUR - accepted.at),
        )
