"""The commands about access to datasets."""

from __future__ import annotations

from typing import Final

from registry.cli.lazy import Command

HERE: Final = "registry.cli.rooms.access"

COMMANDS: Final[tuple[Command, ...]] = (
    ("grant", f"{HERE}.write", "Grant an account access to a dataset."),
    ("revoke", f"{HERE}.write", "Revoke an account's access to a dataset."),
    ("request", f"{HERE}.write", "Request access to a dataset."),
    ("requests", f"{HERE}.read", "List the requests for access to a dataset."),
    ("take-requests", f"{HERE}.write", "Set whether the gateway accepts requests for access."),
    ("access", f"{HERE}.read", "Show whether an account may use a dataset, now or at a time."),
)
