"""The room of access, as the gateway serves it. Its routes are in the groups of the room of datasets."""

from __future__ import annotations

from typing import Final

from api.rooms.access import policy, routes
from api.rooms.room import GatewayRoom
from registry.rooms.access.protocol import PROTOCOL
from registry.rooms.access.statements import RequestPolicy

ROOM: Final = GatewayRoom(
    PROTOCOL.name,
    routers=(routes.reads, routes.writes, policy.router),
    signed=(*PROTOCOL.messages, RequestPolicy),
)
