"""`tdr config show`: the settings that a node started here would have."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry import config
    from registry.cli import output
else:
    config, output = lazy("registry.config"), lazy("registry.cli.output")

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, help="Show the node's settings, and where each comes from."
)


@app.callback()
def group() -> None:
    """Show the node's settings, and where each comes from."""


@app.command()
def show(as_json: options.AsJson = False) -> None:
    """Show every setting, its value and its source. Passwords and access keys are masked.

    Flags of `tdr up` come before TDR_... variables, these before the TOML file that TDR_CONFIG names, and that before
    the defaults.

    \b
    Example:
      TDR_PORT=8080 tdr config show
    """
    settings = list(config.load({}, os.environ).shown())
    if as_json:
        output.print_json({one.name: {"value": one.value, "source": one.source} for one in settings})
    else:
        output.print_table(
            ("setting", "value", "source", "meaning"),
            ((one.name, one.value, one.source, one.description) for one in settings),
        )
