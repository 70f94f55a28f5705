"""`tdr config show`: the settings of a node that is started here."""

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

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Show the node's settings and their sources.")


@app.callback()
def group() -> None:
    """Show the node's settings and their sources."""


@app.command()
def show(as_json: options.AsJson = False) -> None:
    """Show every setting with its value and source. Passwords and access keys are masked.

    Flags of `tdr up` override TDR_... variables; these override the TOML file named by TDR_CONFIG; that overrides the
    defaults.

    \b
    Example:
      TDR_PORT=8080 tdr config show
    """
    settings = list(config.load({}, os.environ).shown())
    if as_json:
        output.print_json({setting.name: {"value": setting.value, "source": setting.source} for setting in settings})
    else:
        output.print_table(
            ("setting", "value", "source", "meaning"),
            ((setting.name, setting.value, setting.source, setting.description) for setting in settings),
        )
