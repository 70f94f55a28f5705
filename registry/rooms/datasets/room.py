"""The room of datasets, as a node runs it."""

from __future__ import annotations

from typing import Final

from registry.rooms.datasets.ownership import OWNERSHIP
from registry.rooms.datasets.protocol import PROTOCOL
from registry.rooms.room import Room

ROOM: Final = Room(PROTOCOL, ownership=OWNERSHIP)
