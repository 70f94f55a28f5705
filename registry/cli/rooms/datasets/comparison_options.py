"""The options of `tdr verify` and `tdr watch`, defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry.cli import options

ManifestFile = Annotated[
    Path | None,
    typer.Option(
        "--manifest",
        parser=options.to_path,
        metavar="FILE",
        help="The manifest; required for private datasets.  [default: from the gateway]",
    ),
]
Nodes = Annotated[
    list[str] | None,
    typer.Option("--rpc", metavar="URL", help="A node that you trust, to read the chain from; repeatable."),
]
