"""The room of datasets, as a node runs it."""

from __future__ import annotations

from typing import Final

from registry.rooms.datasets.ownership import OWNERSHIP
from registry.rooms.datasets.projection import PROJECTION
from registry.rooms.datasets.protocol import PROTOCOL
from registry.rooms.datasets.reads import DatasetReads
from registry.rooms.room import Room

ROOM: Final = Room(PROTOCOL, projection=PROJECTION, ownership=OWNERSHIP, reads=DatasetReads)
