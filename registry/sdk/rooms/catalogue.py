"""The rooms that clients of this version have: one property a room."""

from __future__ import annotations

from registry.sdk.methods import AnyClient
from registry.sdk.rooms.access.client import Access
from registry.sdk.rooms.datasets.client import Datasets


class Rooms:
    """The rooms of a client, which is synchronous or asynchronous."""

    @property
    def datasets(self: AnyClient) -> Datasets[AnyClient]:
        """Datasets, their documents and their evidence."""
        return Datasets(self)

    @property
    def access(self: AnyClient) -> Access[AnyClient]:
        """Grants of access to datasets, and requests for it."""
        return Access(self)
