"""`tdr describe`: describe a dataset in the formats of data catalogues."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    from registry.cli import files
    from registry.sdk import client
else:
    client, files = lazy("registry.sdk.client"), lazy("registry.cli.files")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Format(StrEnum):
    """The format of the description; both are JSON-LD."""

    DCAT = "dcat"
    CROISSANT = "croissant"


@app.command()
def describe(
    dataset: ids.DatasetArgument,
    written: Annotated[Format, typer.Option("--format", help="DCAT 3, or Croissant for machine learning.")] = (
        Format.DCAT
    ),
    file: Annotated[
        Path | None, typer.Option("--output", "-o", parser=options.to_path, metavar="FILE", help="Write to a file.")
    ] = None,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Describe a dataset for a data catalogue, with checksums and links to its proofs. The output is always JSON-LD.

    \b
    Examples:
      tdr describe 0x1f2e3d4c
      tdr describe 0x1f2e3d4c --format croissant -o croissant.json
    """
    with client.Client(gateway_url) as gateway:
        document = gateway.datasets.description(ids.id_text(dataset), written.value)
    files.write(files.json_bytes(document), file)
