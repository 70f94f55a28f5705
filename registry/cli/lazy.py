"""Load the modules of a command on first use, so that `--help` and offline checks start fast."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

import typer
import typer.core
import typer.main


def lazy(name: str) -> Any:
    """Return a module that is loaded when one of its names is first used; the loaded module if there is one.

    Raises:
        ModuleNotFoundError: There is no such module.

    Source: the recipe for lazy imports in the documentation of importlib.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"There is no module {name!r}.", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class LazyGroup(typer.core.TyperGroup):
    """A group of commands whose modules are loaded only when they are called. Its help needs only their lines of help.

    A subclass sets `table`: the names in the order of the help text, each with its module and its one line of help.
    In the module, `app` contains the command, or is itself the group of that name.
    """

    table: tuple[tuple[str, str, str], ...] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, _, line in self.table:
            self.add_command(typer.core.TyperCommand(name=name, help=line, short_help=line))

    def load(self, name: str) -> typer.core.TyperCommand | typer.core.TyperGroup | None:
        """Return the command with a name, loaded; None where there is none."""
        for known, module, _ in self.table:
            if name == known:
                loaded = typer.main.get_command(importlib.import_module(module).app)
                command: typer.core.TyperCommand | typer.core.TyperGroup = getattr(loaded, "commands", {}).get(
                    name, loaded
                )
                return command
        return None
