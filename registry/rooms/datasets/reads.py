"""What a gateway reads datasets with."""

from __future__ import annotations

from registry.rooms.datasets.hot import HotReads
from registry.rooms.datasets.queries import DatasetQueries
from registry.storage import Storage


class DatasetReads:
    """The queries over datasets, and the quickest way to the most frequent ones.

    Args:
        storage: The database.

    Attributes:
        queries: The queries.
        hot: The quickest way; None where the database is not a file. For one thread only.
    """

    def __init__(self, storage: Storage) -> None:
        self.queries = DatasetQueries(storage)
        self.hot = HotReads(str(storage.engine.url.database)) if storage.is_sqlite else None

    def close(self) -> None:
        """Close the connection of the quickest way."""
        if self.hot is not None:
            self.hot.close()
