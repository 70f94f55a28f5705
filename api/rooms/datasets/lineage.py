"""The lineage of a dataset: its sources and its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Query, Response

from api.answers import schema_of
from api.deps import NodeDep, in_thread
from api.reads import RESPONSES, MinBlock, reach
from api.rooms.datasets import answers
from api.rooms.datasets.ids import IdPrefix
from api.rooms.datasets.reads import queries_of
from api.strict import StrictRoute
from registry.index.state import Cursor
from registry.lineage import Direction, Graph
from registry.lineage.dot import dot
from registry.lineage.graph import GraphDocument
from registry.lineage.prov import json_ld, prov_json
from registry.lineage.svg import svg
from registry.node import Node
from registry.rooms.datasets.caip import Namer
from registry.rooms.datasets.lineage import read_lineage

router = APIRouter(prefix="/v1/datasets", tags=["provenance"], route_class=StrictRoute)

MAX_DEPTH: Final = 10_000
Format = Literal["json", "prov-json", "json-ld", "dot", "svg"]

_MEDIA_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "prov-json": "application/json",
    "json-ld": "application/ld+json",
    "dot": "text/vnd.graphviz",
    "svg": "image/svg+xml",
}
_WRITERS: Final[dict[Format, Callable[[Graph, Namer], bytes]]] = {
    "prov-json": lambda graph, namer: orjson.dumps(prov_json(graph, namer)),
    "json-ld": lambda graph, namer: orjson.dumps(json_ld(graph, namer)),
    "dot": lambda graph, _: dot(graph).encode(),
    "svg": lambda graph, _: svg(graph).encode(),
}
_OTHERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            media_type: {"schema": schema_of(media_type)}
            for media_type in sorted(set(_MEDIA_TYPES.values()) - {"application/json"})
        },
        "description": "The lineage in the requested format.",
    }
}


@router.get(
    "/{dataset_id}/lineage",
    summary="Its lineage",
    operation_id="lineage",
    response_model=answers.Lineage | dict[str, Any],
    responses={**RESPONSES, **_OTHERS},
)
async def lineage(
    node: NodeDep,
    dataset_id: IdPrefix,
    version: Annotated[int | None, Query(ge=1, lt=2**24, description="One version; by default all.")] = None,
    direction: Annotated[Direction, Query(description="Up to its sources, or down to its derivatives.")] = (
        Direction.BOTH
    ),
    depth: Annotated[int | None, Query(ge=0, le=MAX_DEPTH, description="The maximum number of steps.")] = None,
    format: Annotated[Format, Query(description="The format of the answer.")] = "json",  # noqa: A002  The parameter's name.
    min_block: MinBlock = None,
) -> Response:
    """Return the exact versions that a dataset derives from and those that derive from it, at most 10,000 of them.

    `affected` are the versions that derive from a withdrawn dataset. `prov-json` and `json-ld` are the W3C's PROV.
    """
    await reach(node, min_block)
    body, cursor = await in_thread(lambda: _written(node, dataset_id, version, direction, depth, format))
    headers = {"TDR-As-Of-Block": str(cursor.height)}
    return Response(body, headers=headers, media_type=_MEDIA_TYPES[format])


def _written(
    node: Node, prefix: str, version: int | None, direction: Direction, depth: int | None, format_: Format
) -> tuple[bytes, Cursor]:
    dataset_id = queries_of(node).resolve(prefix)
    graph, cursor = read_lineage(node.storage, dataset_id, version, direction, depth=depth)
    if format_ == "json":
        return orjson.dumps(_document(graph, cursor)), cursor
    return _WRITERS[format_](graph, Namer.of(node.deployment)), cursor


def _document(graph: Graph, cursor: Cursor) -> dict[str, Any]:
    return {
        **GraphDocument.of(graph).model_dump(mode="json", by_alias=True),
        "asOfBlock": cursor.height,
        "asOfBlockHash": str(cursor.block_hash),
        "finalBlock": cursor.final_height,
    }
