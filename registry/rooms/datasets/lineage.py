"""Read lineage from the index. Each answer is one snapshot of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection, select, tuple_

from registry.base.errors import NotFound
from registry.base.primitives import DatasetId
from registry.base.times import utc_datetime
from registry.documents.tables import METADATA_DOCUMENTS
from registry.feed.tables import EVENTS
from registry.index.chunks import chunks
from registry.index.position import block_of
from registry.index.state import Cursor, read_cursor
from registry.lineage import Direction, Graph, Node, walk
from registry.rooms.datasets.events import Registered, Revised
from registry.rooms.datasets.messages import Source
from registry.rooms.datasets.projection import stored_event
from registry.rooms.datasets.publication_tables import PUBLIC_METADATA, is_public
from registry.rooms.datasets.tables import DATASETS, SOURCES, VERSIONS
from registry.storage import Storage

_PAIRS: Final = 400
"""The number of versions in one statement; each takes two parameters."""

_NODES: Final = select(
    VERSIONS.c.dataset_id,
    VERSIONS.c.number,
    VERSIONS.c.position,
    VERSIONS.c.content_root,
    VERSIONS.c.claimant,
    DATASETS.c.owner,
    DATASETS.c.is_withdrawn,
    EVENTS.c.timestamp,
    EVENTS.c.topics,
    EVENTS.c.data,
    METADATA_DOCUMENTS.c.name,
).select_from(
    VERSIONS.join(EVENTS, EVENTS.c.position == VERSIONS.c.position)
    .join(DATASETS, DATASETS.c.dataset_id == VERSIONS.c.dataset_id)
    .outerjoin(
        PUBLIC_METADATA, is_public(PUBLIC_METADATA, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.metadata_hash)
    )
    .outerjoin(METADATA_DOCUMENTS, METADATA_DOCUMENTS.c.metadata_hash == PUBLIC_METADATA.c.document)
)
_VERSION: Final = tuple_(VERSIONS.c.dataset_id, VERSIONS.c.number)
_SOURCE: Final = tuple_(SOURCES.c.source_id, SOURCES.c.source_version)


class IndexReader:
    """A reader of lineage within one transaction.

    Args:
        connection: The transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def nodes(self, versions: Collection[Source]) -> Iterable[Node]:
        """Yield the nodes of those versions that the index has."""
        for chunk in chunks(versions, _PAIRS):
            for row in self._connection.execute(_NODES.where(_VERSION.in_(_pairs(chunk)))):
                event = stored_event(row.topics, row.data)
                if not isinstance(event, Registered | Revised):
                    raise TypeError(f"{type(event).__name__} does not create a version")
                yield Node(
                    version=Source(dataset_id=row.dataset_id, version=row.number),
                    content_root=row.content_root,
                    name=row.name,
                    claimant=row.claimant,
                    owner=row.owner,
                    is_withdrawn=row.is_withdrawn,
                    registered_at=utc_datetime(row.timestamp),
                    block_number=block_of(row.position),
                    sources=event.sources,
                )

    def dependents(self, versions: Collection[Source]) -> Iterable[Source]:
        """Yield the versions that name one of these as a source, and the next version of each of these."""
        deriving = select(VERSIONS.c.dataset_id, VERSIONS.c.number).join(
            SOURCES, SOURCES.c.position == VERSIONS.c.position
        )
        existing = select(VERSIONS.c.dataset_id, VERSIONS.c.number)
        for chunk in chunks(versions, _PAIRS):
            following = [(version.dataset_id, version.version + 1) for version in chunk]
            for statement in (deriving.where(_SOURCE.in_(_pairs(chunk))), existing.where(_VERSION.in_(following))):
                for dataset_id, number in self._connection.execute(statement):
                    yield Source(dataset_id=dataset_id, version=number)

    def versions(self, dataset_id: DatasetId) -> tuple[Source, ...]:
        """Return all versions of a dataset, ascending.

        Raises:
            NotFound: There is no such dataset.
        """
        count = self._connection.scalar(select(DATASETS.c.version).where(DATASETS.c.dataset_id == dataset_id))
        if count is None:
            raise NotFound(f"There is no dataset {dataset_id} here.")
        return tuple(Source(dataset_id=dataset_id, version=number) for number in range(1, count + 1))


def read_lineage(
    storage: Storage, dataset_id: DatasetId, version: int | None, direction: Direction, *, depth: int | None = None
) -> tuple[Graph, Cursor]:
    """Return the lineage of one version of a dataset, or of all its versions.

    Args:
        storage: The database.
        dataset_id: The dataset.
        version: The version; None means all versions.
        direction: The direction to walk.
        depth: The most steps to walk; None means no limit.

    Returns:
        The graph, and the block that it reflects.

    Raises:
        NotFound: There is no such dataset or version.
        InvalidInput: The lineage has more than `MAX_NODES` versions.
        NotIndexed: The index has not begun.
    """
    with storage.read() as connection:
        cursor = read_cursor(connection)
        reader = IndexReader(connection)
        roots = reader.versions(dataset_id)
        if version is not None:
            roots = (Source(dataset_id=dataset_id, version=version),)
        return walk(reader, roots, direction, depth=depth), cursor


def _pairs(versions: Iterable[Source]) -> list[tuple[DatasetId, int]]:
    return [(version.dataset_id, version.version) for version in versions]
