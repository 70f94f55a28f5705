"""Load the modules of a command on first use, so that `--help` and offline checks start fast."""

from __future__ import annotations

import importlib
from typing import Any

import typer
import typer.core
import typer.main

from registry.base.lazy import lazy

__all__ = ["Command", "LazyGroup", "lazy"]

Command = tuple[str, str, str]
"""The name of a command, its module, and its line of help. In the module, `app` has the command."""


class LazyGroup(typer.core.TyperGroup):
    """A group of commands whose modules are loaded only when they are called. Its help needs only their lines of help.

    A subclass sets `table`: the commands in the order of the help text. The `app` of a module contains the command, or
    is itself the group of that name.
    """

    table: tuple[Command, ...] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, _, line in self.table:
            self.add_command(typer.core.TyperCommand(name=name, help=line, short_help=line))

    def load(self, name: str) -> typer.core.TyperCommand | typer.core.TyperGroup | None:
        """Return the command with a name, loaded; None if there is none."""
        for known, module, _ in self.table:
            if name == known:
                loaded = typer.main.get_command(importlib.import_module(module).app)
                command: typer.core.TyperCommand | typer.core.TyperGroup = getattr(loaded, "commands", {}).get(
                    name, loaded
                )
                return command
        return None
