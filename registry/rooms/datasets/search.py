"""Find datasets in the index by owner, name, words, hash, status or source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, exists, func, select, union
from sqlalchemy import text as text_clause

from registry.base.errors import InvalidInput
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.documents.tables import MANIFEST_FILES
from registry.index.pages import DEFAULT_LIMIT, LAST, Page, Snapshot
from registry.index.state import read_cursor
from registry.rooms.datasets.names import name_key, query_words
from registry.rooms.datasets.publication_tables import PUBLIC_MANIFESTS, is_public
from registry.rooms.datasets.queries import LISTING, MANY
from registry.rooms.datasets.rows import DatasetItem
from registry.rooms.datasets.tables import DATASETS, SOURCES, VERSIONS, WORDS
from registry.storage import Storage

COUNTED_WORDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """The conditions on datasets to find; all given conditions must hold.

    Args:
        owner: The present owner.
        name: The whole name, ignoring case and accents.
        words: Words that must all occur in the name.
        sha256: The content root or metadata hash of a version, or the SHA-256 of a file in a public manifest.
        is_withdrawn: Whether it is withdrawn.
        source: A dataset from which any version derives.
    """

    owner: Address | None = None
    name: str | None = None
    words: str | None = None
    sha256: Bytes32 | None = None
    is_withdrawn: bool | None = None
    source: DatasetId | None = None


NO_FILTER: Final = DatasetFilter()

_COUNT_WORD: Final = select(func.count()).select_from(
    select(WORDS.c.position).where(WORDS.c.word == bindparam("word")).limit(COUNTED_WORDS).subquery()
)


MANIFEST_IS_PUBLIC: Final = is_public(
    PUBLIC_MANIFESTS, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.content_root
)
_PLAN_BY_VALUES: Final = text_clause("SET LOCAL plan_cache_mode = force_custom_plan")


def find_datasets(
    storage: Storage, filters: DatasetFilter = NO_FILTER, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Snapshot[Page[DatasetItem]]:
    """Return datasets, the newest registration first, without their metadata.

    Args:
        storage: The database.
        filters: The conditions.
        limit: The most rows per page.
        cursor: The `next` of the previous page; None for the first page.

    Raises:
        InvalidInput: The cursor is not one of this list, or `words` does not contain a word.
        NotIndexed: There is no index yet.
    """
    before = LISTING.place(cursor, LAST)
    words = [] if filters.words is None else query_words(filters.words)
    if filters.words is not None and not words:
        raise InvalidInput("The search text does not contain a word.", hint="Give one or more words of a name.")
    with storage.read() as connection:
        as_of = read_cursor(connection)
        if words:
            _plan_by_values(connection)
        statement, values = _filtered(filters, _rarest_first(connection, words))
        rows = connection.execute(statement, {**values, "before": before, "count": limit + 1}).all()
    items = [DatasetItem(*row) for row in rows]
    return Snapshot(LISTING.page(items, [item.position for item in items], limit), as_of)


def _plan_by_values(connection: Connection) -> None:
    """Make PostgreSQL plan each statement of this transaction for its values.

    The generic plan assumes that every word is rare. Most are, but the words that people search for are not.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_PLAN_BY_VALUES)


def _rarest_first(connection: Connection, words: list[str]) -> list[str]:
    """Return the words, rarest first. The others are looked up only for the datasets of the rarest."""
    if len(words) < 2:
        return words
    counts = {word: connection.scalar(_COUNT_WORD, {"word": word}) or 0 for word in words}
    return sorted(words, key=counts.__getitem__)


def _filtered(filters: DatasetFilter, rarest_first: list[str]) -> tuple[Select[Any], dict[str, object]]:
    """Return the statement for a filter. It depends only on which fields are set, and is compiled once."""
    statement, values = MANY, dict[str, object]()
    if filters.owner is not None:
        statement = statement.where(DATASETS.c.owner == bindparam("owner"))
        values["owner"] = filters.owner
    if filters.name is not None:
        statement = statement.where(DATASETS.c.name_key == bindparam("name_key"))
        values["name_key"] = name_key(filters.name)
    if filters.is_withdrawn is not None:
        statement = statement.where(DATASETS.c.is_withdrawn == bindparam("is_withdrawn"))
        values["is_withdrawn"] = filters.is_withdrawn
    if filters.source is not None:
        derived = select(SOURCES.c.dataset_id).where(SOURCES.c.source_id == bindparam("source"))
        statement = statement.where(DATASETS.c.dataset_id.in_(derived))
        values["source"] = filters.source
    if filters.sha256 is not None:
        in_files = select(MANIFEST_FILES.c.content_root).where(MANIFEST_FILES.c.sha256 == bindparam("sha256"))
        versions = union(
            select(VERSIONS.c.dataset_id).where(VERSIONS.c.content_root == bindparam("sha256")),
            select(VERSIONS.c.dataset_id).where(
                VERSIONS.c.metadata_hash == bindparam("sha256"), VERSIONS.c.metadata_hash != ZERO_BYTES32
            ),
            select(VERSIONS.c.dataset_id)
            .join(PUBLIC_MANIFESTS, MANIFEST_IS_PUBLIC)
            .where(VERSIONS.c.content_root.in_(in_files)),
        )
        statement = statement.where(DATASETS.c.dataset_id.in_(versions))
        values["sha256"] = filters.sha256
    if rarest_first:
        first = WORDS.alias()
        statement = statement.join(first, first.c.position == DATASETS.c.position).where(
            first.c.word == bindparam("word_0"), first.c.position < bindparam("before")
        )
        for number in range(1, len(rarest_first)):
            other = WORDS.alias()
            statement = statement.where(
                exists().where(other.c.word == bindparam(f"word_{number}"), other.c.position == first.c.position)
            )
        statement = statement.order_by(None).order_by(first.c.position.desc())
        values |= {f"word_{number}": word for number, word in enumerate(rarest_first)}
    return statement, values
