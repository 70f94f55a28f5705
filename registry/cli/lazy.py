"""Loading what a command needs when it needs it, so that `--help` and offline checks answer at once."""

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
    """A module that is loaded when one of its names is first used. Where it is loaded already, that one.

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
    """A group of commands whose modules are loaded only when they are called.

    A subclass fills `table`: the names in the order of the help text, each with its module and its one line of help.
    In the module, `app` holds the command, or is itself the group of that name.
    """

    table: tuple[tuple[str, str, str], ...] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, _, line in self.table:
            self.add_command(typer.core.TyperCommand(name=name, help=line, short_help=line))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Replaces the stand-in of the called command by the command itself."""
        for name, module, _ in self.table:
            if args[0] == name:
                loaded = typer.main.get_command(importlib.import_module(module).app)
                commands = getattr(loaded, "commands", {})
                self.add_command(commands.get(name, loaded), name)
        return super().resolve_command(ctx, args)
