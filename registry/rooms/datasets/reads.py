"""The reads of datasets that a gateway needs."""

from __future__ import annotations

from registry.rooms.datasets.hot import HotReads
from registry.rooms.datasets.queries import DatasetQueries
from registry.storage import Storage


class DatasetReads:
    """The queries over datasets, with faster versions of the most frequent ones.

    Args:
        storage: The database.

    Attributes:
        queries: The queries.
        hot: The faster versions; None if the database is not a file. For one thread only.
    """

    def __init__(self, storage: Storage) -> None:
        self.queries = DatasetQueries(storage)
        self.hot = HotReads(str(storage.engine.url.database)) if storage.is_sqlite else None

    def close(self) -> None:
        """Close the connection of `hot`."""
        if self.hot is not None:
            self.hot.close()
