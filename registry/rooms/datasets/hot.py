"""The two most frequent reads without SQLAlchemy: one dataset, and a page without a filter. SQLite only.

The statements and the rows are those of `registry.rooms.datasets.queries`. The costs that exceed the read itself are
avoided: a connection from the pool, and SQLAlchemy's objects.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from registry.base.primitives import Bytes32, DatasetId
from registry.index.pages import LAST, Page, Snapshot
from registry.index.state import SELECT_CURSOR, Cursor, NotIndexed
from registry.rooms.datasets.queries import LISTING, MANY, ONE, unknown
from registry.rooms.datasets.rows import DatasetItem
from registry.storage.errors import translated

MAPPED_BYTES: Final = 2**30
CACHE_KIB: Final = 65_536


class _Statement:
    """A statement compiled for SQLite."""

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=sqlite.dialect())
        self.sql = str(compiled)
        self._names = list(compiled.positiontup or ())
        self._defaults = compiled.params

    def fetch(self, connection: sqlite3.Connection, values: dict[str, object]) -> list[Any]:
        """Execute the statement and return its rows.

        Args:
            connection: The connection.
            values: The values of the parameters.
        """
        parameters = self._defaults | values
        return connection.execute(self.sql, [parameters[name] for name in self._names]).fetchall()


class HotReads:
    """Reads over a dedicated connection, for one thread at a time.

    Args:
        path: The path of the database file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._cursor, self._one, self._many = _Statement(SELECT_CURSOR), _Statement(ONE), _Statement(MANY)

    def dataset(self, dataset_id: DatasetId) -> Snapshot[DatasetItem]:
        """Return a dataset as it is now; the same as `DatasetQueries.dataset`."""
        cursor, rows = self._read(self._one, {"dataset_id": bytes(dataset_id)})
        if not rows:
            raise unknown(dataset_id)
        return Snapshot(DatasetItem(*rows[0]), cursor)

    def datasets(self, limit: int, cursor: str | None) -> Snapshot[Page[DatasetItem]]:
        """Return datasets; the same as `find_datasets` without a filter."""
        before = LISTING.place(cursor, LAST)
        as_of, rows = self._read(self._many, {"before": before, "count": limit + 1})
        items = [DatasetItem(*row) for row in rows]
        return Snapshot(LISTING.page(items, [item.position for item in items], limit), as_of)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self, statement: _Statement, values: dict[str, object]) -> tuple[Cursor, list[Any]]:
        try:
            self._connection.execute("BEGIN")
            try:
                state = self._connection.execute(self._cursor.sql).fetchone()
                rows = statement.fetch(self._connection, values)
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            registry_error = translated(error, self._path)
            if registry_error is None:
                raise
            raise registry_error from error
        if state is None:
            raise NotIndexed(
                "The index has not begun yet.", hint="Start the indexer (tdr up, or tdr indexer), and wait."
            )
        height, block_hash, block_time, final_height = state
        return Cursor(height, Bytes32(block_hash), block_time, final_height), rows
