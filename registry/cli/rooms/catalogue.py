"""The commands of the rooms of this version, one room per line."""

from __future__ import annotations

from typing import Final

from registry.cli.lazy import Command
from registry.cli.rooms.access import commands as access
from registry.cli.rooms.datasets import commands as datasets

COMMANDS: Final[tuple[Command, ...]] = (
    *datasets.COMMANDS,
    *access.COMMANDS,
    *datasets.PROOFS,
)
