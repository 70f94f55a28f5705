"""The two reads that are asked for most, past SQLAlchemy: one dataset, and a page without a filter. SQLite only.

The statements and the shapes are those of `registry.index.queries`; what is left out is what costs more than the
reading itself: a connection from the pool, and an object for each step of it.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from typing import Any, Final

import orjson
from sqlalchemy import Select, make_url
from sqlalchemy.dialects import sqlite

from registry.base.primitives import Bytes32, DatasetId
from registry.index.pages import LAST, Listing
from registry.index.queries import MANY, ONE, dataset_json, standing, unknown
from registry.index.shapes import Json
from registry.index.state import SELECT_CURSOR, Cursor, NotIndexed
from registry.storage.errors import translated

MAPPED_BYTES: Final = 2**30
CACHE_KIB: Final = 65_536


class _Statement:
    """A statement as SQLite takes it, and its rows with the columns as attributes."""

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=sqlite.dialect())
        self.sql = str(compiled)
        self._names = list(compiled.positiontup or ())
        self._defaults = compiled.params
        columns = [str(column.key) for column in statement.selected_columns]
        self._row: Any = type("Row", (namedtuple("Row", columns),), {"__slots__": ()})

    def fetch(self, connection: sqlite3.Connection, values: dict[str, object]) -> list[Any]:
        """Its rows.

        Args:
            connection: Where to ask.
            values: The values of its parameters.
        """
        known = self._defaults | values
        rows = connection.execute(self.sql, [known[name] for name in self._names]).fetchall()
        return [self._row._make(row) for row in rows]


class HotReads:
    """Reads over a connection of its own; for one thread at a time.

    Args:
        url: The database's SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self._path = str(make_url(url).database)
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._cursor, self._one, self._many = _Statement(SELECT_CURSOR), _Statement(ONE), _Statement(MANY)

    def dataset(self, dataset_id: DatasetId) -> Json:
        """As `Queries.dataset`."""
        stands, rows = self._read(self._one, {"dataset_id": bytes(dataset_id)})
        if not rows:
            raise unknown(dataset_id)
        metadata = None if rows[0].body is None else orjson.Fragment(rows[0].body)
        return dataset_json(rows[0]) | {"metadata": metadata} | standing(stands)

    def datasets(self, limit: int, cursor: str | None) -> Json:
        """As `Queries.datasets` without a filter."""
        before = Listing.DATASETS.place(cursor, LAST)
        stands, rows = self._read(self._many, {"before": before, "count": limit + 1})
        page = Listing.DATASETS.page([dataset_json(row) for row in rows], [row.position for row in rows], limit)
        return page | standing(stands)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _read(self, statement: _Statement, values: dict[str, object]) -> tuple[Cursor, list[Any]]:
        try:
            self._connection.execute("BEGIN")
            try:
                stands = self._connection.execute(self._cursor.sql).fetchone()
                rows = statement.fetch(self._connection, values)
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            mine = translated(error, self._path)
            if mine is None:
                raise
            raise mine from error
        if stands is None:
            raise NotIndexed(
                "The index has not begun yet.", hint="Start the indexer (tdr up, or tdr indexer), and wait."
            )
        height, block_hash, block_time, final_height = stands
        return Cursor(height, Bytes32(block_hash), block_time, final_height), rows
