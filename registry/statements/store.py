"""Keeping statements, and what they decide: which documents may be shown, and whether requests are taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from registry.base.errors import Conflict, LimitReached, NotFound
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.documents.store import erase, manifest_of, metadata_of
from registry.statements.messages import AnyStatement, Publication, RequestPolicy, Retraction
from registry.statements.refusals import withheld
from registry.statements.tables import CHANGED_PUBLICATIONS, IS_PUBLIC, PUBLICATIONS, REQUEST_POLICIES, STATEMENTS
from registry.storage.insert import insert_if_new
from registry.storage.locks import lock_values

HOUR: Final = 3600
_AGAIN = "Sign a new statement, with another deadline."


AnyAccepted = TypeVar("AnyAccepted", bound=AnyStatement)


@dataclass(frozen=True, slots=True)
class Accepted(Generic[AnyAccepted]):
    """A statement that was checked: signed by the dataset's owner, and not past its deadline.

    Args:
        statement: The statement.
        digest: What was signed.
        signature: The signature.
        signer: The owner.
        at: When it was accepted, Unix seconds.
        per_hour: How many of its kind the owner may make about the dataset in an hour.
    """

    statement: AnyAccepted
    digest: Bytes32
    signature: bytes
    signer: Address
    at: float
    per_hour: int


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What became of a document of a version.

    Args:
        version: The version.
        document: The content root or the metadata hash.
        kind: ``manifest`` or ``metadata``.
        published_at: When its owner published it, Unix seconds.
        retracted_at: When its owner took it back, or None.
        reason: Why, in the owner's words.
        withheld_at: When the operator withheld it, or None.
        withheld_for: Why, in the operator's words.
    """

    version: int
    document: Bytes32
    kind: str
    published_at: float
    retracted_at: float | None
    reason: str | None
    withheld_at: float | None
    withheld_for: str | None

    @property
    def state(self) -> str:
        """``public``, ``retracted`` or ``withheld``."""
        if self.withheld_at is not None:
            return "withheld"
        return "public" if self.retracted_at is None else "retracted"


def lock_documents(connection: Connection, documents: Collection[Bytes32]) -> None:
    """Wait until no other transaction publishes or hides these documents, and let none begin before this one ends.

    One that hides a document erases it where nothing shows it any more; one that publishes it meanwhile, for another
    dataset, would find it kept and end up without it.
    """
    lock_values(connection, "document", documents)


def publish(connection: Connection, accepted: Accepted[Publication]) -> None:
    """Make documents of a version public. The same statement counts once.

    Args:
        connection: In a transaction that writes; the documents are locked, then kept, in it too.
        accepted: The statement as it was accepted.

    Raises:
        Conflict: The statement was used before, and the documents have been taken back since; or the operator
            withholds one of them.
        LimitReached: It is one too many.
    """
    statement, is_new = accepted.statement, _keep(connection, accepted)
    for document in statement.documents:
        key = _key(statement.dataset_id, statement.version, document)
        row = connection.execute(select(PUBLICATIONS).where(key)).one_or_none()
        withheld_for = _withheld_for(connection, statement.dataset_id, statement.version, document)
        if withheld_for is not None:
            raise withheld(withheld_for)
        if row is not None and row.retracted_at is None:
            continue
        if not is_new:
            raise Conflict("This publication was taken back after it was signed.", hint=_AGAIN)
        kind = "manifest" if document == statement.content_root else "metadata"
        values = {"published_at": accepted.at, "published_by": accepted.digest, "kind": kind}
        if row is None:
            place = {"dataset_id": statement.dataset_id, "version": statement.version, "document": document}
            connection.execute(PUBLICATIONS.insert().values(place | values))
        else:
            cleared = {"retracted_at": None, "retracted_by": None, "reason": None}
            connection.execute(update(PUBLICATIONS).where(key).values(values | cleared))
    _mark_changed(connection, statement.dataset_id)


def retract(connection: Connection, accepted: Accepted[Retraction]) -> None:
    """Take documents of a version back, and erase those that no other version shows.

    Raises:
        NotFound: A document is not public for that version.
        Conflict: The statement was used before, and the documents have been published again since.
        LimitReached: It is one too many.
    """
    statement = accepted.statement
    lock_documents(connection, statement.documents)
    is_new = _keep(connection, accepted)
    for document in statement.documents:
        key = _key(statement.dataset_id, statement.version, document)
        row = connection.execute(select(PUBLICATIONS).where(key)).one_or_none()
        if row is None:
            raise NotFound(f"The document {document} of version {statement.version} was never published here.")
        if row.retracted_at is not None:
            continue
        if not is_new:
            raise Conflict("The document was published again after this retraction was signed.", hint=_AGAIN)
        values = {"retracted_at": accepted.at, "retracted_by": accepted.digest, "reason": statement.reason}
        connection.execute(update(PUBLICATIONS).where(key).values(values))
    _after_hiding(connection, statement.dataset_id, statement.documents)


def withhold(connection: Connection, dataset_id: DatasetId, version: int, reason: str, now: float) -> int:
    """Withhold the documents of a version, for the operator, and erase those that no other dataset shows.

    They are withheld for every version of the dataset, and nothing else of this version can be published. What is
    withheld already keeps the time and reason of the decision that withheld it.

    Args:
        connection: In a transaction that writes.
        dataset_id: The dataset.
        version: The version.
        reason: The law, order or case; it is shown in place of the document.
        now: Unix seconds.

    Returns:
        How many documents were withheld.

    Raises:
        NotFound: No document of that version was ever published here.
        Conflict: All of them are withheld already.
    """
    of_version = and_(PUBLICATIONS.c.dataset_id == dataset_id, PUBLICATIONS.c.version == version)
    documents = list(connection.scalars(select(PUBLICATIONS.c.document).where(of_version)))
    if not documents:
        raise NotFound(f"No document of version {version} of the dataset {dataset_id} was published here.")
    lock_documents(connection, documents)
    concerned = _same_version_or_document(dataset_id, version, documents)
    is_new = PUBLICATIONS.c.withheld_at.is_(None)
    values = {"withheld_at": now, "withheld_for": reason}
    changed = update(PUBLICATIONS).where(concerned, is_new).values(values).returning(PUBLICATIONS.c.version)
    count = list(connection.scalars(changed)).count(version)
    if not count:
        earliest = select(PUBLICATIONS.c.withheld_for).where(of_version).order_by(PUBLICATIONS.c.withheld_at).limit(1)
        first = connection.scalar(earliest)
        raise Conflict(
            f"Version {version} of the dataset {dataset_id} is withheld already: {first}",
            hint="The record of the first decision is kept; `tdr documents ID` shows it. Nothing was changed.",
        )
    _after_hiding(connection, dataset_id, documents)
    return count


def set_request_policy(connection: Connection, accepted: Accepted[RequestPolicy]) -> None:
    """Open a dataset to requests for access, or close it.

    Raises:
        Conflict: A statement that was issued later is known.
        LimitReached: It is one too many.
    """
    statement = accepted.statement
    lock_values(connection, "requests", [statement.dataset_id])
    is_new = _keep(connection, accepted)
    of_dataset = REQUEST_POLICIES.c.dataset_id == statement.dataset_id
    known = connection.execute(select(REQUEST_POLICIES).where(of_dataset)).one_or_none()
    if known is not None and known.statement == accepted.digest:
        return
    if not is_new or (known is not None and known.issued_at >= statement.issued_at):
        raise Conflict(
            "A policy that was issued later, or in the same second, is in force.",
            hint="Sign one with the present time.",
        )
    values = {"accepted": statement.accepted, "issued_at": statement.issued_at, "statement": accepted.digest}
    if known is None:
        connection.execute(REQUEST_POLICIES.insert().values({"dataset_id": statement.dataset_id} | values))
    else:
        connection.execute(update(REQUEST_POLICIES).where(of_dataset).values(values))


def accepts_requests(connection: Connection, dataset_id: DatasetId) -> bool:
    """Return whether the owner lets the gateway take requests for access; so it is where nothing was said."""
    found = connection.scalar(select(REQUEST_POLICIES.c.accepted).where(REQUEST_POLICIES.c.dataset_id == dataset_id))
    return found is None or bool(found)


def is_kept(connection: Connection, digest: Bytes32) -> bool:
    """Return whether a statement was accepted before, by what was signed."""
    return bool(connection.scalar(select(exists().where(STATEMENTS.c.digest == digest))))


def public_metadata(connection: Connection, dataset_id: DatasetId, version: int, key: Bytes32) -> bytes | None:
    """Return the canonical JSON of a version's metadata, or None where it is not public."""
    return metadata_of(connection, key) if is_public(connection, dataset_id, version, key) else None


def public_manifest(connection: Connection, dataset_id: DatasetId, version: int, root: Bytes32) -> bytes | None:
    """Return the text form of a version's manifest, or None where it is not public."""
    return manifest_of(connection, root) if is_public(connection, dataset_id, version, root) else None


def records_of(connection: Connection, dataset_id: DatasetId) -> Sequence[DocumentRecord]:
    """Return what became of every document of a dataset that was ever published here, by version."""
    columns = (PUBLICATIONS.c[name] for name in DocumentRecord.__dataclass_fields__)
    rows = connection.execute(
        select(*columns)
        .where(PUBLICATIONS.c.dataset_id == dataset_id)
        .order_by(PUBLICATIONS.c.version, PUBLICATIONS.c.kind)
    )
    return [DocumentRecord(*row) for row in rows]


def is_public(connection: Connection, dataset_id: DatasetId, version: int, document: Bytes32) -> bool:
    """Return whether a document may be shown for a version."""
    return bool(connection.scalar(select(exists().where(_key(dataset_id, version, document), IS_PUBLIC))))


def _key(dataset_id: DatasetId, version: int, document: Bytes32) -> ColumnElement[bool]:
    return and_(
        PUBLICATIONS.c.dataset_id == dataset_id,
        PUBLICATIONS.c.version == version,
        PUBLICATIONS.c.document == document,
    )


def _same_version_or_document(
    dataset_id: DatasetId, version: int, documents: Collection[Bytes32]
) -> ColumnElement[bool]:
    """Return the condition for what is withheld together: within one dataset, for its owner answers for that alone."""
    return and_(
        PUBLICATIONS.c.dataset_id == dataset_id,
        or_(PUBLICATIONS.c.version == version, PUBLICATIONS.c.document.in_(documents)),
    )


def _withheld_for(connection: Connection, dataset_id: DatasetId, version: int, document: Bytes32) -> str | None:
    """Return the operator's reason for withholding a version or a document of a dataset; None where nothing is."""
    concerned = _same_version_or_document(dataset_id, version, [document])
    found = select(PUBLICATIONS.c.withheld_for).where(concerned, PUBLICATIONS.c.withheld_at.is_not(None)).limit(1)
    return connection.scalar(found)


def _keep(connection: Connection, accepted: Accepted[Any]) -> bool:
    """Keep a statement; return whether it is new.

    Raises:
        LimitReached: It is new, and its owner made as many of its kind within the hour.
    """
    statement: AnyStatement = accepted.statement
    lock_values(connection, "statements", [statement.dataset_id])
    values = {
        "digest": accepted.digest,
        "kind": type(statement).__name__,
        "dataset_id": statement.dataset_id,
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
    """Require that a statement, which was just kept, is not one too many.

    Each kind is counted for itself, so that documents that were published can be taken back in the same hour; and each
    owner, so that a former one leaves room for the next.
    """
    kind = type(accepted.statement).__name__
    alike = (
        STATEMENTS.c.dataset_id == accepted.statement.dataset_id,
        STATEMENTS.c.signer == accepted.signer,
        STATEMENTS.c.kind == kind,
        STATEMENTS.c.accepted_at > accepted.at - HOUR,
        STATEMENTS.c.digest != accepted.digest,
    )
    times = select(STATEMENTS.c.accepted_at).where(*alike).order_by(STATEMENTS.c.accepted_at.desc())
    latest = connection.scalars(times.limit(accepted.per_hour)).all()
    if len(latest) >= accepted.per_hour:
        first = latest[-1] if latest else accepted.at
        raise LimitReached(
            f"The owner has made {accepted.per_hour} statements of the kind {kind} about this dataset within an hour,"
            " and the gateway keeps no more. Nothing was accepted.",
            hint="Try again later; one statement can be about both documents of a version.",
            retry_after=max(1.0, first + HOUR - accepted.at),
        )


def _after_hiding(connection: Connection, dataset_id: DatasetId, documents: Collection[Bytes32]) -> None:
    _mark_changed(connection, dataset_id)
    for document in documents:
        if not connection.scalar(select(exists().where(PUBLICATIONS.c.document == document, IS_PUBLIC))):
            erase(connection, document)


def _mark_changed(connection: Connection, dataset_id: DatasetId) -> None:
    connection.execute(insert_if_new(connection, CHANGED_PUBLICATIONS).values(dataset_id=dataset_id))
