"""How anvil is started, wherever it is used."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

ANVIL: Final = Path(__file__).resolve().parents[2] / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
"""The native binary that `npm ci` brings. Killing the npm shim would leave the real anvil running on its port."""
KEPT_STATES: Final = 1_000_000
STATES: Final = Path(tempfile.gettempdir()) / "anvil-states"
"""A rollback makes an empty folder here even if no state is written."""


def anvil_command(port: int, *options: str) -> list[str]:
    """Return the command of an anvil that keeps every block's state in memory.

    By default anvil writes older states below the user's home, from block 501 on, and a folder for each run: when it
    is killed, both remain. After a rollback to such a block, anvil 1.7.1 continues with an empty state, without
    contracts and accounts.

    Args:
        port: The port that it listens on.
        options: Further options.
    """
    kept = ("--prune-history", str(KEPT_STATES), "--cache-path", str(STATES))
    return [str(ANVIL), "--port", str(port), "--silent", *kept, *options]
