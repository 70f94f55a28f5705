"""Finding datasets by their names: the whole name, or words of it, without regard to case, width and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from registry.documents.tables import METADATA_DOCUMENTS, NEW_METADATA
from registry.index.chunks import chunks
from registry.index.tables import DATASETS, WORDS
from registry.primitives import Bytes32
from registry.storage.bulk import insert_rows

MAX_KEY: Final = 200
MAX_WORD: Final = 64
MAX_WORDS: Final = 128

_WORD: Final = re.compile(r"\w+")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
"""Chinese characters and Japanese kana: written without spaces, so that no word is seen to end."""


def name_key(name: str) -> str:
    """What two names have in common that differ only in case, width, accents and spaces."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(plain.split())[:MAX_KEY]


def words_of(name: str) -> list[str]:
    """The words by which a name is found, each once; the first of very many.

    Of what is written without spaces, every character and every two that stand together are words.
    """
    return _parted(name, lambda run: [*run, *_pairs(run)])


def words_sought(text: str) -> list[str]:
    """The words that a name must have, to be found by a text."""
    return _parted(text, lambda run: _pairs(run) or [run])


def _parted(text: str, parts: Callable[[str], list[str]]) -> list[str]:
    """The words of a text, each once; what is written without spaces is taken apart by `parts`."""
    found: list[str] = []
    for word in _WORD.findall(name_key(text).replace("_", " ")):
        for run in _UNSPACED.findall(word[:MAX_WORD]):
            found += parts(run)
        found += _UNSPACED.sub(" ", word[:MAX_WORD]).split()
    return list(dict.fromkeys(found))[:MAX_WORDS]


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


def names_of(connection: Connection, keys: Collection[Bytes32]) -> dict[Bytes32, str]:
    """The names in the metadata with these hashes, as far as it is kept here."""
    names: dict[Bytes32, str] = {}
    for chunk in chunks(keys):
        rows = connection.execute(
            select(METADATA_DOCUMENTS.c.metadata_hash, METADATA_DOCUMENTS.c.name).where(
                METADATA_DOCUMENTS.c.metadata_hash.in_(chunk), METADATA_DOCUMENTS.c.name.is_not(None)
            )
        )
        names.update((key, name) for key, name in rows)
    return names


def put_words(connection: Connection, named: Collection[tuple[int, str]]) -> None:
    """Makes datasets findable.

    Args:
        connection: In a transaction that writes.
        named: The datasets' positions and names; earlier words of theirs have been deleted.
    """
    rows = [(word, position) for position, name in named for word in words_of(name)]
    insert_rows(connection, WORDS, ("word", "position"), rows)


def delete_words(connection: Connection, positions: Collection[int]) -> None:
    """Makes datasets unfindable by name."""
    for chunk in chunks(positions):
        connection.execute(delete(WORDS).where(WORDS.c.position.in_(chunk)))


def has_arrivals(connection: Connection) -> bool:
    """Whether `name_arrivals` would find something to do."""
    return connection.execute(select(NEW_METADATA.c.metadata_hash).limit(1)).first() is not None


def name_arrivals(connection: Connection, limit: int = 1000) -> int:
    """Names the datasets whose metadata came in after their event did.

    Args:
        connection: In a transaction that writes.
        limit: How many documents at most.

    Returns:
        How many documents were looked at.
    """
    arrived = list(connection.scalars(select(NEW_METADATA.c.metadata_hash).limit(limit)))
    if not arrived:
        return 0
    names = names_of(connection, arrived)
    for chunk in chunks(names):
        rows = connection.execute(
            select(DATASETS.c.position, DATASETS.c.metadata_hash).where(DATASETS.c.metadata_hash.in_(chunk))
        )
        named = [(position, names[key]) for position, key in rows]
        delete_words(connection, [position for position, _ in named])
        put_words(connection, named)
        if named:
            connection.execute(
                update(DATASETS).where(DATASETS.c.position == bindparam("at")),
                [{"at": position, "name": name, "name_key": name_key(name)} for position, name in named],
            )
    for chunk in chunks(arrived):
        connection.execute(delete(NEW_METADATA).where(NEW_METADATA.c.metadata_hash.in_(chunk)))
    return len(arrived)
