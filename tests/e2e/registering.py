"""Datasets that a test registers through the command line."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.commands import yes
from tests.fixtures.nodes import Tdr


def register(tdr: Tdr, folder: Path, *options: object, key: str = "owner") -> dict[str, object]:
    return yes(tdr("register", folder, "--name", f"企鹅 {folder.parent.name}", "--key", key, "--json", *options))
