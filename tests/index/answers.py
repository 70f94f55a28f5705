"""Answers of the index, as the gateway writes them."""

from __future__ import annotations

from typing import Any

from api import shapes
from api.rooms.access import shapes as access_shapes
from api.rooms.datasets import shapes as dataset_shapes
from api.shapes import Json
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.index.pages import DEFAULT_LIMIT
from registry.rooms.access.queries import AccessQueries
from registry.rooms.datasets.claims import find_claims
from registry.rooms.datasets.queries import DatasetQueries
from registry.rooms.datasets.search import NO_FILTER, DatasetFilter, find_datasets
from registry.storage import Storage


def every(page: Any, **arguments: Any) -> list[dict[str, Any]]:
    """Return all items, page by page."""
    items, cursor = [], None
    while True:
        answer = page(**arguments, limit=3, cursor=cursor)
        items += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            return items


class Answers:
    """The queries of both rooms, and the JSON of their rows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._datasets = DatasetQueries(storage)
        self._access = AccessQueries(storage)
        self.resolve = self._datasets.resolve

    def dataset(self, dataset_id: DatasetId) -> Json:
        return dataset_shapes.dataset(self._datasets.dataset(dataset_id))

    def datasets(
        self, filters: DatasetFilter = NO_FILTER, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Json:
        return shapes.page(find_datasets(self._storage, filters, limit, cursor), dataset_shapes.item)

    def versions(self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        return shapes.page(self._datasets.versions(dataset_id, limit, cursor), dataset_shapes.version)

    def history(self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        return shapes.page(self._datasets.history(dataset_id, limit, cursor), dataset_shapes.step)

    def claims(self, sha256: Bytes32, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        return dataset_shapes.claims(sha256, find_claims(self._storage, sha256, limit, cursor))

    def grants(
        self,
        dataset_id: DatasetId,
        now: int,
        grantee: Address | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Json:
        found = self._access.grants(dataset_id, grantee, limit, cursor)
        return shapes.page(found, lambda row: access_shapes.grant(row, now))

    def access_requests(self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        return shapes.page(self._access.requests(dataset_id, limit, cursor), access_shapes.listed_request)

    def grantee(self, dataset_id: DatasetId, grantee: Address, now: int) -> Json:
        return access_shapes.grantee(self._access.grantee(dataset_id, grantee), now)

    def access(self, dataset_id: DatasetId, grantee: Address, time: int) -> Json:
        return access_shapes.access(self._access.access(dataset_id, grantee, time), time)
