"""Ask for confirmation before an action that cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from registry.base.errors import InvalidInput, RegistryError
from registry.cli.output import plain

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation; required without a terminal.")]


def require_terminal_or_yes(*, yes: bool) -> None:
    """Require, before any work is done, that the action is confirmed or that there is a terminal to ask at.

    Raises:
        InvalidInput: Neither is true.
    """
    if not (yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        raise InvalidInput(
            "This cannot be undone, and there is no terminal to ask for confirmation.",
            hint="Use --yes if you are sure.",
        )


def ask(consequences: Sequence[str], question: str) -> None:
    """Show the consequences of an action on standard error, and ask whether to continue. The default answer is no.

    Raises:
        RegistryError: The answer is no.
    """
    for line in consequences:
        sys.stderr.write(f"{plain(line)}\n")
    if not typer.confirm(plain(question), err=True):
        raise RegistryError("Not confirmed: nothing was done, and nothing was sent.")
