"""Find who registered a hash: as a content root, as metadata, or as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Subquery, Text, func, literal, select, union_all

from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.documents.tables import MANIFEST_FILES
from registry.feed.tables import EVENTS
from registry.index.pages import DEFAULT_LIMIT, FIRST, PLACE, PLACE_COLUMNS, Listing, Page, Snapshot, place_of
from registry.index.state import read_cursor
from registry.rooms.datasets.publication_tables import PUBLIC_MANIFESTS
from registry.rooms.datasets.rows import ClaimItem
from registry.rooms.datasets.search import MANIFEST_IS_PUBLIC
from registry.rooms.datasets.tables import DATASETS, VERSIONS
from registry.storage import Storage

LISTING: Final = Listing("c")


def find_claims(
    storage: Storage, sha256: Bytes32, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Snapshot[Page[ClaimItem]]:
    """Return the versions in which a hash occurs, in the order of the chain.

    Args:
        storage: The database.
        sha256: A content root, a metadata hash, or the SHA-256 of a file in a public manifest.
        limit: The most rows per page.
        cursor: The `next` of the previous page; None for the first page.

    Raises:
        InvalidInput: The cursor is not one of this list.
        NotIndexed: There is no index yet.
    """
    matches = _matches(sha256)
    statement = (
        select(
            *PLACE,
            matches.c.match,
            matches.c.path,
            VERSIONS.c.dataset_id,
            VERSIONS.c.number,
            VERSIONS.c.claimant,
            DATASETS.c.owner,
            DATASETS.c.is_withdrawn,
        )
        .select_from(
            matches.join(VERSIONS, VERSIONS.c.position == matches.c.position)
            .join(EVENTS, EVENTS.c.position == matches.c.position)
            .join(DATASETS, DATASETS.c.dataset_id == VERSIONS.c.dataset_id)
        )
        .where(matches.c.position > LISTING.place(cursor, FIRST))
        .order_by(matches.c.position)
        .limit(limit + 1)
    )
    with storage.read() as connection:
        as_of = read_cursor(connection)
        rows = connection.execute(statement).all()
    items = [_claim(row) for row in rows]
    return Snapshot(LISTING.page(items, [row.position for row in rows], limit), as_of)


def _claim(row: Sequence[Any]) -> ClaimItem:
    return ClaimItem(place_of(row), *row[PLACE_COLUMNS:])


def _matches(sha256: Bytes32) -> Subquery:
    """Return the positions of versions in which a hash occurs, with its role there and the file's path."""
    files = (
        select(MANIFEST_FILES.c.content_root, func.min(MANIFEST_FILES.c.path).label("path"))
        .where(MANIFEST_FILES.c.sha256 == sha256)
        .group_by(MANIFEST_FILES.c.content_root)
        .subquery()
    )
    no_path = literal(None, Text).label("path")
    every = union_all(
        select(VERSIONS.c.position, literal("root").label("match"), no_path).where(VERSIONS.c.content_root == sha256),
        select(VERSIONS.c.position, literal("metadata").label("match"), no_path).where(
            VERSIONS.c.metadata_hash == sha256,
            VERSIONS.c.metadata_hash != ZERO_BYTES32,  # Zero means that there is no metadata.
        ),
        select(VERSIONS.c.position, literal("file").label("match"), files.c.path)
        .join(files, files.c.content_root == VERSIONS.c.content_root)
        .join(PUBLIC_MANIFESTS, MANIFEST_IS_PUBLIC),
    ).subquery()
    # If a hash occurs several times in one version, "root" has precedence over "metadata", and both over "file".
    return (
        select(every.c.position, func.max(every.c.match).label("match"), func.max(every.c.path).label("path"))
        .group_by(every.c.position)
        .subquery()
    )
