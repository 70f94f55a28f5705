"""The rooms that this version serves over HTTP: one line per room."""

from __future__ import annotations

from typing import Final

from api.rooms.access import room as access
from api.rooms.datasets import room as datasets
from api.rooms.room import GatewayRoom

GATEWAY_ROOMS: Final[tuple[GatewayRoom, ...]] = (datasets.ROOM, access.ROOM)
