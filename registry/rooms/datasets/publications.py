"""Publications: the documents of versions that may be shown, as decided by owners and the operator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from registry.base.errors import Conflict, NotFound
from registry.base.primitives import Bytes32, DatasetId
from registry.documents.deposit import put_documents
from registry.documents.store import erase, manifest_of, metadata_of
from registry.manifest import Manifest
from registry.rooms.datasets.errors import withheld
from registry.rooms.datasets.publication_tables import CHANGED_PUBLICATIONS, IS_PUBLIC, PUBLICATIONS
from registry.rooms.datasets.statements import Publication, Retraction
from registry.statements.store import Accepted, keep
from registry.storage.insert import insert_if_new
from registry.storage.locks import lock_values

_AGAIN: Final = "Sign a new statement, with another deadline."


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """The state of a published document of a version.

    Args:
        version: The version.
        document: The content root or the metadata hash.
        kind: ``manifest`` or ``metadata``.
        published_at: When the owner published it, Unix seconds.
        retracted_at: When the owner retracted it, Unix seconds, or None.
        reason: The owner's reason for retracting it, or None.
        withheld_at: When the operator withheld it, Unix seconds, or None.
        withheld_for: The operator's reason for withholding it, or None.
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
    """Lock documents against other transactions that publish or hide them, until this transaction ends.

    Without the lock, a transaction that hides the last publication of a document would erase it while another one
    publishes it for another dataset.
    """
    lock_values(connection, "document", documents)


def publish(connection: Connection, accepted: Accepted[Publication]) -> None:
    """Make documents of a version public. The same statement counts once.

    Args:
        connection: In a transaction that writes, and that locked and then stored the documents.
        accepted: The statement as it was accepted.

    Raises:
        Conflict: The statement was used before and the documents have been retracted since, or the operator withholds
            one of them.
        LimitReached: The owner has reached the number of publications for the hour.
    """
    statement, is_new = accepted.statement, keep(connection, accepted)
    for document in statement.documents:
        key = _key(statement.dataset_id, statement.version, document)
        row = connection.execute(select(PUBLICATIONS).where(key)).one_or_none()
        withheld_for = _withheld_for(connection, statement.dataset_id, statement.version, document)
        if withheld_for is not None:
            raise withheld(withheld_for)
        if row is not None and row.retracted_at is None:
            continue
        if not is_new:
            raise Conflict("This publication was retracted after it was signed.", hint=_AGAIN)
        kind = "manifest" if document == statement.content_root else "metadata"
        values = {"published_at": accepted.at, "published_by": accepted.digest, "kind": kind}
        if row is None:
            place = {"dataset_id": statement.dataset_id, "version": statement.version, "document": document}
            connection.execute(PUBLICATIONS.insert().values(place | values))
        else:
            cleared = {"retracted_at": None, "retracted_by": None, "reason": None}
            connection.execute(update(PUBLICATIONS).where(key).values(values | cleared))
    _mark_changed(connection, statement.dataset_id)


def keeping(
    accepted: Accepted[Publication], metadata: Mapping[str, Any] | None, manifest: Manifest | None
) -> Callable[[Connection], None]:
    """Return a function that stores documents and makes them public, in one database transaction.

    Args:
        accepted: The publication as it was accepted.
        metadata: The metadata that it names, or None.
        manifest: The manifest that it names, or None.
    """

    def write(connection: Connection) -> None:
        lock_documents(connection, accepted.statement.documents)
        put_documents(connection, metadata=metadata, manifest=manifest)
        publish(connection, accepted)

    return write


def retract(connection: Connection, accepted: Accepted[Retraction]) -> None:
    """Retract documents of a version, and erase those that no other version shows.

    Args:
        connection: In a transaction that writes.
        accepted: The statement as it was accepted.

    Raises:
        NotFound: A document was never public for that version.
        Conflict: The statement was used before and the documents have been published again since.
        LimitReached: The owner has reached the number of retractions for the hour.
    """
    statement = accepted.statement
    lock_documents(connection, statement.documents)
    is_new = keep(connection, accepted)
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
    """Withhold the documents of a version, as the operator, and erase those that no other dataset shows.

    They are withheld for every version of the dataset, and no other document of this version can be published. A
    document that is already withheld keeps the time and reason of the earlier decision.

    Args:
        connection: In a transaction that writes.
        dataset_id: The dataset.
        version: The version.
        reason: The law, order or case. It is shown in place of the document.
        now: Unix seconds.

    Returns:
        The number of documents that were withheld.

    Raises:
        NotFound: No document of that version was ever published here.
        Conflict: All of them are already withheld.
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
            f"Version {version} of the dataset {dataset_id} is already withheld: {first}",
            hint="The first decision remains in force; `tdr documents ID` shows it. Nothing was changed.",
        )
    _after_hiding(connection, dataset_id, documents)
    return count


def public_metadata(connection: Connection, dataset_id: DatasetId, version: int, key: Bytes32) -> bytes | None:
    """Return the canonical JSON of a version's metadata, or None where it is not public."""
    return metadata_of(connection, key) if is_public(connection, dataset_id, version, key) else None


def public_manifest(connection: Connection, dataset_id: DatasetId, version: int, root: Bytes32) -> bytes | None:
    """Return the text form of a version's manifest, or None where it is not public."""
    return manifest_of(connection, root) if is_public(connection, dataset_id, version, root) else None


def records_of(connection: Connection, dataset_id: DatasetId) -> Sequence[DocumentRecord]:
    """Return the state of every document of a dataset that was ever published here, ascending by version."""
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
    """Return the condition for the documents that are withheld together. They are all of one dataset."""
    return and_(
        PUBLICATIONS.c.dataset_id == dataset_id,
        or_(PUBLICATIONS.c.version == version, PUBLICATIONS.c.document.in_(documents)),
    )


def _withheld_for(connection: Connection, dataset_id: DatasetId, version: int, document: Bytes32) -> str | None:
    """Return the operator's reason for withholding a version or document; None where neither is withheld."""
    concerned = _same_version_or_document(dataset_id, version, [document])
    reasons = select(PUBLICATIONS.c.withheld_for).where(concerned, PUBLICATIONS.c.withheld_at.is_not(None)).limit(1)
    return connection.scalar(reasons)


def _after_hiding(connection: Connection, dataset_id: DatasetId, documents: Collection[Bytes32]) -> None:
    _mark_changed(connection, dataset_id)
    for document in documents:
        if not connection.scalar(select(exists().where(PUBLICATIONS.c.document == document, IS_PUBLIC))):
            erase(connection, document)


def _mark_changed(connection: Connection, dataset_id: DatasetId) -> None:
    connection.execute(insert_if_new(connection, CHANGED_PUBLICATIONS).values(dataset_id=dataset_id))
