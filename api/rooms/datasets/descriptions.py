"""Descriptions of a dataset in the formats of catalogues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from api.answers import in_form
from api.deps import NodeDep, base_url, in_thread
from api.reads import RESPONSES, MinBlock, reach
from api.rooms.datasets import shapes
from api.rooms.datasets.ids import IdPrefix
from api.rooms.datasets.reads import queries_of
from api.strict import StrictRoute
from registry.base.canonical import read_json
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.catalogue import MAX_FILES, Listing, croissant, dcat
from registry.manifest import Manifest
from registry.node import Node
from registry.rooms.datasets.caip import Namer
from registry.rooms.datasets.messages import Source
from registry.rooms.datasets.publications import public_manifest, public_metadata

router = APIRouter(prefix="/v1/datasets", tags=["provenance"], route_class=StrictRoute)

_JSON_LD: Final = in_form("application/ld+json", "The description.")


@router.get(
    "/{dataset_id}/dcat",
    summary="Its description in DCAT 3",
    operation_id="dcat",
    response_class=Response,
    responses={**RESPONSES, **_JSON_LD},
)
async def dcat_document(node: NodeDep, request: Request, dataset_id: IdPrefix, min_block: MinBlock = None) -> Response:
    """Describe the latest version in the W3C's Data Catalog Vocabulary, with checksums and links to proofs."""
    return await _described(node, request, dataset_id, min_block, dcat)


@router.get(
    "/{dataset_id}/croissant",
    summary="Its description in Croissant",
    operation_id="croissant",
    response_class=Response,
    responses={**RESPONSES, **_JSON_LD},
)
async def croissant_document(
    node: NodeDep, request: Request, dataset_id: IdPrefix, min_block: MinBlock = None
) -> Response:
    """Describe the latest version in MLCommons' Croissant, with checksums and links to proofs."""
    return await _described(node, request, dataset_id, min_block, croissant)


async def _described(
    node: Node,
    request: Request,
    prefix: str,
    min_block: int | None,
    written: Callable[[Listing], Mapping[str, Any]],
) -> Response:
    await reach(node, min_block)
    base = base_url(node, request)

    def make() -> tuple[int, bytes]:
        queries = queries_of(node)
        dataset = shapes.dataset(queries.dataset(queries.resolve(prefix)))
        return dataset["asOfBlock"], orjson.dumps(written(_listing(node, dataset, base)))

    as_of, body = await in_thread(make)
    return Response(body, headers={"TDR-As-Of-Block": str(as_of)}, media_type="application/ld+json")


def _listing(node: Node, found: Mapping[str, Any], base_url: str) -> Listing:
    """Return the listing of a dataset, from the index and the documents stored here."""
    dataset_id = DatasetId.parse(found["datasetId"])
    root, metadata_hash = Bytes32.parse(found["contentRoot"]), Bytes32.parse(found["metadataHash"])
    with node.storage.read() as connection:
        described = public_metadata(connection, dataset_id, found["version"], metadata_hash)
        is_listed = (found["files"] or MAX_FILES + 1) <= MAX_FILES
        listed = public_manifest(connection, dataset_id, found["version"], root) if is_listed else None
    metadata = {} if described is None else read_json(described)
    return Listing(
        namer=Namer.of(node.deployment),
        base_url=base_url,
        dataset_id=dataset_id,
        version=found["version"],
        owner=Address.parse(found["owner"]),
        is_withdrawn=found["status"] == "withdrawn",
        content_root=root,
        metadata_hash=metadata_hash,
        metadata=metadata if isinstance(metadata, dict) else {},
        uri=found["uri"],
        sources=tuple(Source.parse(source) for source in found["sources"]),
        registered_at=datetime.fromisoformat(found["registeredAt"]),
        updated_at=datetime.fromisoformat(found["updatedAt"]),
        files=None if listed is None else Manifest.parse(listed).entries,
        total_size=found["bytes"],
    )
