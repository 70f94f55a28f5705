"""Queries over the index that concern no room."""

from __future__ import annotations

from registry.index.state import Cursor, read_cursor
from registry.storage import Storage


class IndexQueries:
    """Read the state of the index.

    Every method raises NotIndexed before the index has begun, and StorageUnavailable where the database cannot be read.

    Args:
        storage: The database.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def cursor(self) -> Cursor:
        """Return the block of the index."""
        with self._storage.read() as connection:
            return read_cursor(connection)

    def now(self, clock: float) -> int:
        """Return the present, Unix seconds, UTC: a clock's time, or that of the index's block where that is later.

        Terms begin and end by the blocks' time, which may be ahead of this machine's clock. By the clock alone, an
        account that waited for its grant would be told that the grant has not begun.
        """
        return max(int(clock), self.cursor().block_time)
