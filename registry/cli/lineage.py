"""`tdr lineage`: where a dataset comes from, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.base.errors import InvalidInput, Unavailable
from registry.cli import ids, options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    import pydantic

    from registry.cli import files
    from registry.lineage import dot, graph, prov, svg, tree
    from registry.rooms.datasets import caip
    from registry.sdk import client
else:
    pydantic = lazy("pydantic")
    caip, client = lazy("registry.rooms.datasets.caip"), lazy("registry.sdk.client")
    files = lazy("registry.cli.files")
    dot, graph, prov = lazy("registry.lineage.dot"), lazy("registry.lineage.graph"), lazy("registry.lineage.prov")
    svg, tree = lazy("registry.lineage.svg"), lazy("registry.lineage.tree")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Walk(StrEnum):
    """Where to walk."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Format(StrEnum):
    """How the lineage is written."""

    TREE = "tree"
    PROV_JSON = "prov-json"
    JSON_LD = "json-ld"
    SVG = "svg"
    DOT = "dot"


@app.command()
def lineage(
    dataset: Annotated[
        str, typer.Argument(metavar="ID[@VERSION]", help="The dataset's id or its beginning; and a version, else all.")
    ],
    direction: Annotated[Walk, typer.Option("--direction", help="Up to its sources, down to what derives.")] = (
        Walk.BOTH
    ),
    written: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TREE,
    depth: Annotated[int | None, typer.Option("--depth", min=0, help="How many steps at most; else all.")] = None,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", parser=options.to_path, metavar="FILE", help="Write to a file.")
    ] = None,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show the exact versions that a dataset derives from, and those that derive from it.

    What derives from a withdrawn dataset is marked.

    \b
    Examples:
      tdr lineage 0x1f2e3d4c
      tdr lineage 0x1f2e3d4c@2 --direction down
      tdr lineage 0x1f2e3d4c --format svg -o lineage.svg
    """
    dataset_id, version = ids.id_and_version(dataset)
    with client.Gateway(gateway_url) as gateway:
        answer = gateway.lineage(dataset_id, version=version, direction=direction.value, depth=depth)
        where = gateway.deployment()
    if as_json:
        if written is not Format.TREE:
            raise InvalidInput("--json is a format of its own: leave out --format.")
        files.write(files.json_bytes(answer), file)
        return
    found = _graph(answer)
    namer = caip.Namer.of(where)
    writers: dict[Format, Callable[[], bytes]] = {
        Format.TREE: lambda: _tree(found, direction, answer["asOfBlock"]),
        Format.PROV_JSON: lambda: files.json_bytes(prov.prov_json(found, namer)),
        Format.JSON_LD: lambda: files.json_bytes(prov.json_ld(found, namer)),
        Format.SVG: lambda: svg.svg(found).encode(),
        Format.DOT: lambda: dot.dot(found).encode(),
    }
    with gateway.reading():
        content = writers[written]()
    files.write(content, file)


def _graph(answer: Any) -> graph.Graph:
    members = graph.GraphDocument.model_fields
    wanted = {field.alias for field in members.values()}
    try:
        document = graph.GraphDocument.model_validate({key: answer[key] for key in answer if key in wanted})
    except pydantic.ValidationError as error:
        raise Unavailable("The gateway answered with a lineage that cannot be read.") from error
    return document.graph()


def _tree(found: graph.Graph, direction: Walk, as_of: int) -> bytes:
    return "".join(f"{line}\n" for line in _lines(found, direction, as_of)).encode()


def _lines(found: graph.Graph, direction: Walk, as_of: int) -> Iterator[str]:
    if direction is not Walk.DOWN:
        if direction is Walk.BOTH:
            yield "Derives from:"
        yield from tree.ancestors(found)
    if direction is Walk.BOTH:
        yield ""
        yield "Gave rise to:"
    if direction is not Walk.UP:
        yield from tree.descendants(found)
    yield ""
    if found.affected:
        yield f"{len(found.affected)} of these versions derive from a withdrawn dataset."
    if found.is_cut:
        yield "There is more beyond this depth."
    count = len(found.nodes)
    yield f"{count} version{'' if count == 1 else 's'}, as of block {as_of}"
