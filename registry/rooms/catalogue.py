"""The rooms of this version, one per line."""

from __future__ import annotations

from typing import Final

from registry.rooms.access import room as access
from registry.rooms.datasets import room as datasets
from registry.rooms.room import Rooms

ROOMS: Final = Rooms((datasets.ROOM, access.ROOM))
