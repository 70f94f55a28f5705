"""The asynchronous client of a gateway, with the rooms of the catalogue."""

from __future__ import annotations

from registry.sdk.async_gateway import AsyncGatewayClient
from registry.sdk.rooms.catalogue import Rooms


class AsyncClient(Rooms, AsyncGatewayClient):
    """One gateway, for asyncio. It has the methods of `registry.sdk.client.Client`, as coroutines."""
