"""The offline halves of the rooms of this version, one per line."""

from __future__ import annotations

from typing import Final

from registry.rooms.access import protocol as access
from registry.rooms.datasets import protocol as datasets
from registry.rooms.protocol import Protocols

PROTOCOLS: Final = Protocols((datasets.PROTOCOL, access.PROTOCOL))
