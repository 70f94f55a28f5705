"""Find datasets by their whole names or by words of them, ignoring case, width and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from registry.base.primitives import Bytes32, DatasetId
from registry.documents.tables import METADATA_DOCUMENTS
from registry.index.chunks import chunks
from registry.rooms.datasets.publication_tables import CHANGED_PUBLICATIONS, IS_PUBLIC, PUBLICATIONS
from registry.rooms.datasets.tables import DATASETS, WORDS
from registry.storage.bulk import insert_rows

MAX_KEY: Final = 200
MAX_WORD: Final = 64
MAX_WORDS: Final = 128

_WORD: Final = re.compile(r"\w+")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
"""Chinese characters and Japanese kana. They are written without spaces between words."""


def name_key(name: str) -> str:
    """Return a key that is equal for names that differ only in case, width, accents and spaces."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(plain.split())[:MAX_KEY]


def words_of(name: str) -> list[str]:
    """Return the distinct words by which a name is found, up to a limit.

    In text written without spaces, every character and every pair of adjacent characters is a word.
    """
    return _split(name, lambda run: [*run, *_pairs(run)])


def query_words(text: str) -> list[str]:
    """Return the words that a name must contain to match a query."""
    return _split(text, lambda run: _pairs(run) or [run])


def _split(text: str, parts: Callable[[str], list[str]]) -> list[str]:
    """Return the distinct words of a text; `parts` splits runs written without spaces."""
    words: list[str] = []
    for word in _WORD.findall(name_key(text).replace("_", " ")):
        for run in _UNSPACED.findall(word[:MAX_WORD]):
            words += parts(run)
        words += _UNSPACED.sub(" ", word[:MAX_WORD]).split()
    return list(dict.fromkeys(words))[:MAX_WORDS]


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


_LATEST: Final = (PUBLICATIONS.c.dataset_id, PUBLICATIONS.c.version, PUBLICATIONS.c.document)
Latest = tuple[DatasetId, int, Bytes32]
"""A dataset, its latest version, and that version's metadata hash."""


def names_of(connection: Connection, dataset_ids: Collection[DatasetId]) -> dict[Latest, str]:
    """Return the names in the public metadata of datasets, by dataset, version and metadata hash."""
    names: dict[Latest, str] = {}
    if not dataset_ids or connection.execute(select(METADATA_DOCUMENTS.c.metadata_hash).limit(1)).first() is None:
        return names  # A new node has no documents while it reads the whole chain.
    for chunk in chunks(dataset_ids):
        rows = connection.execute(
            select(*_LATEST, METADATA_DOCUMENTS.c.name)
            .join(METADATA_DOCUMENTS, METADATA_DOCUMENTS.c.metadata_hash == PUBLICATIONS.c.document)
            .where(PUBLICATIONS.c.dataset_id.in_(chunk), IS_PUBLIC, METADATA_DOCUMENTS.c.name.is_not(None))
        )
        names.update(((dataset_id, version, key), name) for dataset_id, version, key, name in rows)
    return names


def put_words(connection: Connection, named: Collection[tuple[int, str]]) -> None:
    """Store the words by which datasets are found.

    Args:
        connection: In a transaction that writes.
        named: The datasets' positions and names; their earlier words have been deleted.
    """
    rows = [(word, position) for position, name in named for word in words_of(name)]
    insert_rows(connection, WORDS, ("word", "position"), rows)


def delete_words(connection: Connection, positions: Collection[int]) -> None:
    """Delete the words by which datasets are found."""
    for chunk in chunks(positions):
        connection.execute(delete(WORDS).where(WORDS.c.position.in_(chunk)))


def has_changes(connection: Connection) -> bool:
    """Return whether there is work for `name_changed`."""
    return connection.execute(select(CHANGED_PUBLICATIONS.c.dataset_id).limit(1)).first() is not None


def name_changed(connection: Connection, limit: int = 1000) -> int:
    """Update the names of datasets whose publications have changed since their event.

    Args:
        connection: In a transaction that writes.
        limit: The most datasets to update.

    Returns:
        The number of datasets updated.
    """
    some = select(CHANGED_PUBLICATIONS.c.dataset_id).limit(limit)
    # Deleted before anything is read, so that a concurrent change of a publication waits and is then recorded again.
    taken = delete(CHANGED_PUBLICATIONS).where(CHANGED_PUBLICATIONS.c.dataset_id.in_(some))
    changed = list(connection.scalars(taken.returning(CHANGED_PUBLICATIONS.c.dataset_id)))
    names = names_of(connection, changed)
    for chunk in chunks(changed):
        rows = connection.execute(
            select(DATASETS.c.position, DATASETS.c.dataset_id, DATASETS.c.version, DATASETS.c.metadata_hash).where(
                DATASETS.c.dataset_id.in_(chunk)
            )
        )
        named = [(position, names.get((dataset_id, version, key))) for position, dataset_id, version, key in rows]
        delete_words(connection, [position for position, _ in named])
        put_words(connection, [(position, name) for position, name in named if name])
        values = [
            {"at": position, "name": name, "name_key": name_key(name) if name else None} for position, name in named
        ]
        if values:
            connection.execute(update(DATASETS).where(DATASETS.c.position == bindparam("at")), values)
    return len(changed)
