"""The room of access, as a node runs it. Its messages are about datasets, so it does not have its own subjects."""

from __future__ import annotations

from typing import Final

from registry.rooms.access.projection import PROJECTION
from registry.rooms.access.protocol import PROTOCOL
from registry.rooms.access.queries import AccessQueries
from registry.rooms.room import Room

ROOM: Final = Room(PROTOCOL, projection=PROJECTION, reads=AccessQueries)
