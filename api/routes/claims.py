"""Who registered something with a hash; and the documents whose hashes are on chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api import answers
from api.deps import NodeDep, in_thread
from api.problems import INVALID, NOT_FOUND, Refused, documented
from api.reads import Limit, MinBlock, PageCursor, Sha256, answer
from api.strict import StrictRoute
from registry.documents.store import manifest_of, metadata_of
from registry.index.pages import DEFAULT_LIMIT
from registry.node import Node
from registry.primitives import Bytes32

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=StrictRoute)

Hash = Annotated[Bytes32, Path(description="The hash.")]


@router.get(
    "/verify",
    summary="Who registered a hash",
    operation_id="verify",
    response_model=answers.Claims,
    responses=documented(INVALID),
)
async def verify(
    node: NodeDep,
    sha256: Annotated[Sha256, Query(description="The hash, with or without 0x.")],
    limit: Limit = DEFAULT_LIMIT,
    cursor: PageCursor = None,
    min_block: MinBlock = None,
) -> Response:
    """Every registration of a content root, a metadata hash or a file with this hash, in the order of the chain."""
    return await answer(node, lambda queries: queries.claims(sha256, limit, cursor), min_block)


@router.get(
    "/manifests/{root}",
    summary="A manifest",
    operation_id="manifest",
    response_model=dict[str, object],
    responses=documented(NOT_FOUND, INVALID),
)
async def manifest(node: NodeDep, root: Hash) -> Response:
    """The manifest with a content root, byte for byte, where its owner published it here."""
    found = await in_thread(lambda: _manifest(node, root))
    return _document(found, f"No manifest with the root {root} is public here.")


@router.get(
    "/metadata/{metadata_hash}",
    summary="Metadata",
    operation_id="metadata",
    response_model=dict[str, object],
    responses=documented(NOT_FOUND, INVALID),
)
async def metadata(node: NodeDep, metadata_hash: Hash) -> Response:
    """The metadata with a hash, in canonical form, where its owner published it here."""
    found = await in_thread(lambda: _metadata(node, metadata_hash))
    return _document(found, f"No metadata with the hash {metadata_hash} is public here.")


def _manifest(node: Node, root: Bytes32) -> bytes | None:
    if not node.queries.is_public(root):
        return None
    with node.storage.read() as connection:
        return manifest_of(connection, root)


def _metadata(node: Node, metadata_hash: Bytes32) -> bytes | None:
    if not node.queries.is_public(metadata_hash):
        return None
    with node.storage.read() as connection:
        return metadata_of(connection, metadata_hash)


def _document(found: bytes | None, otherwise: str) -> Response:
    if found is None:
        raise Refused(NOT_FOUND, otherwise, hint="Its owner may have it.")
    return Response(found, media_type="application/json")
