"""`tdr lineage`: what a dataset derives from, and what derives from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    from registry.cli import files
    from registry.lineage import dot, graph, prov, svg, tree
    from registry.rooms.datasets import caip
    from registry.sdk import client
    from registry.sdk.rooms.datasets import models
else:
    caip, client = lazy("registry.rooms.datasets.caip"), lazy("registry.sdk.client")
    files = lazy("registry.cli.files")
    dot, graph, prov = lazy("registry.lineage.dot"), lazy("registry.lineage.graph"), lazy("registry.lineage.prov")
    svg, tree = lazy("registry.lineage.svg"), lazy("registry.lineage.tree")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Walk(StrEnum):
    """The direction of the walk."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Format(StrEnum):
    """The format of the output."""

    TREE = "tree"
    PROV_JSON = "prov-json"
    JSON_LD = "json-ld"
    SVG = "svg"
    DOT = "dot"


@app.command()
def lineage(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="ID[@VERSION]", help="The dataset's id or a prefix of it, and a version.  [default: all versions]"
        ),
    ],
    direction: Annotated[
        Walk, typer.Option("--direction", help="Up to its sources, or down to what derives from it.")
    ] = (Walk.BOTH),
    written: Annotated[Format, typer.Option("--format", help="The format of the output.")] = Format.TREE,
    depth: Annotated[
        int | None, typer.Option("--depth", min=0, help="The maximum number of steps.  [default: no limit]")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", parser=options.to_path, metavar="FILE", help="Write to a file.")
    ] = None,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show the exact versions that a dataset derives from, and those that derive from it.

    Versions that derive from a withdrawn dataset are marked.

    \b
    Examples:
      tdr lineage 0x1f2e3d4c
      tdr lineage 0x1f2e3d4c@2 --direction down
      tdr lineage 0x1f2e3d4c --format svg -o lineage.svg
    """
    dataset_id, version = ids.id_and_version(dataset)
    with client.Client(gateway_url) as gateway:
        family = gateway.datasets.lineage(dataset_id, version=version, direction=direction.value, depth=depth)
        deployment = gateway.deployment()
    if as_json:
        if written is not Format.TREE:
            raise InvalidInput("--json and --format exclude each other.", hint="Leave out one of them.")
        files.write(files.json_bytes(family.raw), file)
        return
    namer = caip.Namer.of(deployment)
    writers: dict[Format, Callable[[], bytes]] = {
        Format.TREE: lambda: _tree(family, direction),
        Format.PROV_JSON: lambda: files.json_bytes(prov.prov_json(family.graph, namer)),
        Format.JSON_LD: lambda: files.json_bytes(prov.json_ld(family.graph, namer)),
        Format.SVG: lambda: svg.svg(family.graph).encode(),
        Format.DOT: lambda: dot.dot(family.graph).encode(),
    }
    files.write(writers[written](), file)


def _tree(family: models.Lineage, direction: Walk) -> bytes:
    return "".join(f"{line}\n" for line in _lines(family.graph, direction, family.as_of_block)).encode()


def _lines(lineage_graph: graph.Graph, direction: Walk, as_of: int) -> Iterator[str]:
    if direction is not Walk.DOWN:
        if direction is Walk.BOTH:
            yield "Derives from:"
        yield from tree.ancestors(lineage_graph)
    if direction is Walk.BOTH:
        yield ""
        yield "Source of:"
    if direction is not Walk.UP:
        yield from tree.descendants(lineage_graph)
    yield ""
    if lineage_graph.affected:
        yield f"{len(lineage_graph.affected)} of these versions derive from a withdrawn dataset."
    if lineage_graph.is_cut:
        yield "More versions exist beyond this depth."
    count = len(lineage_graph.nodes)
    yield f"{count} version{'' if count == 1 else 's'}, as of block {as_of}"
