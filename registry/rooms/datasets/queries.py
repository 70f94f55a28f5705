"""Queries over the datasets in the index. Each answer is one snapshot, with its block."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, exists, select

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import ZERO_ADDRESS, Bytes32, DatasetId
from registry.documents.tables import MANIFESTS, METADATA_DOCUMENTS
from registry.feed.tables import EVENTS
from registry.index.pages import DEFAULT_LIMIT, FIRST, PLACE, Listing, Page, Snapshot, place_of
from registry.index.state import Cursor, read_cursor
from registry.rooms.datasets.events import Registered, Revised
from registry.rooms.datasets.projection import KINDS, stored_event
from registry.rooms.datasets.publication_tables import PUBLIC_MANIFESTS, PUBLIC_METADATA, PUBLICATIONS, is_public
from registry.rooms.datasets.rows import DatasetItem, HistoryItem, VersionItem
from registry.rooms.datasets.tables import DATASETS, VERSIONS
from registry.storage import Storage

MAX_CANDIDATES: Final = 10
MIN_PREFIX: Final = 8

LISTING: Final = Listing("d")
HISTORY: Final = Listing("h")
VERSION_LISTING: Final = Listing("v")

_ROW: Final = (
    DATASETS.c.position,
    DATASETS.c.dataset_id,
    DATASETS.c.owner,
    DATASETS.c.first_owner,
    DATASETS.c.version,
    DATASETS.c.content_root,
    DATASETS.c.metadata_hash,
    DATASETS.c.uri,
    DATASETS.c.head,
    DATASETS.c.is_withdrawn,
    DATASETS.c.reason,
    DATASETS.c.sources,
    DATASETS.c.registered_at,
    DATASETS.c.updated_position,
    DATASETS.c.updated_at,
    DATASETS.c.transaction_hash,
    METADATA_DOCUMENTS.c.name,
    METADATA_DOCUMENTS.c.description,
    MANIFESTS.c.files,
    MANIFESTS.c.bytes.label("size"),
)
_WITH_DOCUMENTS: Final = (
    DATASETS.outerjoin(
        PUBLIC_METADATA,
        is_public(PUBLIC_METADATA, DATASETS.c.dataset_id, DATASETS.c.version, DATASETS.c.metadata_hash),
    )
    .outerjoin(METADATA_DOCUMENTS, METADATA_DOCUMENTS.c.metadata_hash == PUBLIC_METADATA.c.document)
    .outerjoin(
        PUBLIC_MANIFESTS,
        is_public(PUBLIC_MANIFESTS, DATASETS.c.dataset_id, DATASETS.c.version, DATASETS.c.content_root),
    )
    .outerjoin(MANIFESTS, MANIFESTS.c.content_root == PUBLIC_MANIFESTS.c.document)
)
ONE: Final[Select[Any]] = (
    select(*_ROW, METADATA_DOCUMENTS.c.body)
    .select_from(_WITH_DOCUMENTS)
    .where(DATASETS.c.dataset_id == bindparam("dataset_id"))
)
MANY: Final[Select[Any]] = (
    select(*_ROW)
    .select_from(_WITH_DOCUMENTS)
    .where(DATASETS.c.position < bindparam("before"))
    .order_by(DATASETS.c.position.desc())
    .limit(bindparam("count"))
)
_HISTORY: Final = (
    select(*PLACE, EVENTS.c.head, EVENTS.c.topics, EVENTS.c.data)
    .where(
        EVENTS.c.subject_id == bindparam("dataset_id"),
        EVENTS.c.kind.in_(tuple(KINDS.values())),
        EVENTS.c.account == ZERO_ADDRESS,
        EVENTS.c.position > bindparam("after"),
    )
    .order_by(EVENTS.c.position)
    .limit(bindparam("count"))
)
_VERSIONS: Final = (
    select(*PLACE, VERSIONS.c.number, EVENTS.c.topics, EVENTS.c.data, METADATA_DOCUMENTS.c.name)
    .select_from(
        VERSIONS.join(EVENTS, EVENTS.c.position == VERSIONS.c.position)
        .outerjoin(
            PUBLIC_METADATA,
            is_public(PUBLIC_METADATA, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.metadata_hash),
        )
        .outerjoin(METADATA_DOCUMENTS, METADATA_DOCUMENTS.c.metadata_hash == PUBLIC_METADATA.c.document)
    )
    .where(VERSIONS.c.dataset_id == bindparam("dataset_id"), VERSIONS.c.number > bindparam("after"))
    .order_by(VERSIONS.c.number)
    .limit(bindparam("count"))
)


class DatasetQueries:
    """Read the datasets in the index.

    Every method raises NotIndexed before the index has begun, and StorageUnavailable if the database cannot be read.
    The `next` of a page continues the list.

    Args:
        storage: The database.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def dataset(self, dataset_id: DatasetId) -> Snapshot[DatasetItem]:
        """Return a dataset as it is now, with its public metadata.

        Raises:
            NotFound: There is no such dataset.
        """
        with self._storage.read() as connection:
            as_of = read_cursor(connection)
            row = connection.execute(ONE, {"dataset_id": dataset_id}).one_or_none()
        if row is None:
            raise unknown(dataset_id)
        return Snapshot(DatasetItem(*row), as_of)

    def resolve(self, prefix: str) -> DatasetId:
        """Return the id of the dataset whose id begins with given digits.

        Args:
            prefix: At least eight hex digits, with or without 0x.

        Raises:
            InvalidInput: The prefix has another form.
            NotFound: No dataset's id begins with it.
            Conflict: Several datasets' ids begin with it; the hint lists some.
        """
        digits = prefix.removeprefix("0x").lower()
        if not MIN_PREFIX <= len(digits) <= 2 * DatasetId.LENGTH or set(digits) - set("0123456789abcdef"):
            raise InvalidInput(
                f"Not a dataset id: expected {2 * DatasetId.LENGTH} hex digits or a prefix of at least {MIN_PREFIX};"
                f" got {prefix[:80]!r}."
            )
        lowest, highest = (DatasetId(bytes.fromhex(digits.ljust(2 * DatasetId.LENGTH, end))) for end in "0f")
        if lowest == highest:
            return lowest
        matching = (
            select(DATASETS.c.dataset_id)
            .where(DATASETS.c.dataset_id.between(lowest, highest))
            .order_by(DATASETS.c.dataset_id)
            .limit(MAX_CANDIDATES)
        )
        with self._storage.read() as connection:
            candidates: list[DatasetId] = list(connection.scalars(matching))
        if not candidates:
            raise NotFound(f"No dataset's id begins with 0x{digits}.")
        if len(candidates) > 1:
            raise Conflict(
                f"Several datasets' ids begin with 0x{digits}.",
                hint=f"Give more digits: {', '.join(map(str, candidates))}",
            )
        return candidates[0]

    def versions(
        self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Snapshot[Page[VersionItem]]:
        """Return the versions of a dataset, ascending.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: The cursor is not one of this list.
        """
        with self._storage.read() as connection:
            as_of = as_of_dataset(connection, dataset_id)
            rows = connection.execute(_VERSIONS, _after(VERSION_LISTING, dataset_id, limit, cursor)).all()
        items = []
        for row in rows:
            event = stored_event(row.topics, row.data)
            if not isinstance(event, Registered | Revised):
                raise TypeError(f"{type(event).__name__} does not create a version")
            items.append(VersionItem(place_of(row), row.number, event, row.name))
        return Snapshot(VERSION_LISTING.page(items, [row.number for row in rows], limit), as_of)

    def version_hashes(self, dataset_id: DatasetId, version: int) -> tuple[Bytes32, Bytes32]:
        """Return the content root and the metadata hash of a version.

        Raises:
            NotFound: The index does not have this version.
        """
        hashes = select(VERSIONS.c.content_root, VERSIONS.c.metadata_hash)
        with self._storage.read() as connection:
            row = connection.execute(
                hashes.where(VERSIONS.c.dataset_id == dataset_id, VERSIONS.c.number == version)
            ).one_or_none()
        if row is None:
            raise NotFound(
                f"The dataset {dataset_id} has no version {version} here.",
                hint="If it has just been registered, wait for its receipt.",
            )
        return row.content_root, row.metadata_hash

    def is_public(self, document: Bytes32) -> bool:
        """Return whether a document is public for some version: as its manifest or its metadata."""
        metadata = is_public(PUBLICATIONS, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.metadata_hash)
        manifest = is_public(PUBLICATIONS, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.content_root)
        public = select(VERSIONS.c.position).join(PUBLICATIONS, metadata | manifest)
        with self._storage.read() as connection:
            return bool(connection.scalar(select(exists(public.where(PUBLICATIONS.c.document == document)))))

    def history(
        self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Snapshot[Page[HistoryItem]]:
        """Return all events that changed a dataset, ascending.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: The cursor is not one of this list.
        """
        with self._storage.read() as connection:
            as_of = as_of_dataset(connection, dataset_id)
            rows = connection.execute(_HISTORY, _after(HISTORY, dataset_id, limit, cursor)).all()
        items = [HistoryItem(place_of(row), stored_event(row.topics, row.data), row.head) for row in rows]
        return Snapshot(HISTORY.page(items, [row.position for row in rows], limit), as_of)


def as_of_dataset(connection: Connection, dataset_id: DatasetId) -> Cursor:
    """Return the block of the index, in the state that a transaction sees.

    Raises:
        NotFound: There is no such dataset.
        NotIndexed: There is no index yet.
    """
    cursor = read_cursor(connection)
    if connection.scalar(select(DATASETS.c.version).where(DATASETS.c.dataset_id == dataset_id)) is None:
        raise unknown(dataset_id)
    return cursor


def unknown(dataset_id: DatasetId) -> NotFound:
    """Return the error for a dataset that the index does not know."""
    return NotFound(
        f"There is no dataset {dataset_id} here.", hint="If it has just been registered, wait for its receipt."
    )


def _after(listing: Listing, dataset_id: DatasetId, limit: int, cursor: str | None) -> dict[str, object]:
    return {"dataset_id": dataset_id, "after": listing.place(cursor, FIRST), "count": limit + 1}
