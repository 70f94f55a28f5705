"""Registrations by hash, and the documents whose hashes are on the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse

from api.deps import NodeDep, in_thread
from api.problems import INVALID, NOT_FOUND, Refused, documented
from api.reads import PagingDep, Sha256, answer
from api.rooms.datasets import answers, shapes
from api.rooms.datasets.reads import queries_of
from api.shapes import Json
from api.strict import StrictRoute
from registry.base.primitives import Bytes32
from registry.documents.store import manifest_part, manifest_size, metadata_of
from registry.node import Node
from registry.rooms.datasets.claims import find_claims

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=StrictRoute)

PART: Final = 2**18
"""The bytes of a manifest read at once."""

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
    paging: PagingDep,
) -> Response:
    """Return every version whose content root, metadata or file has this hash, in the order of the chain."""

    def work() -> Json:
        return shapes.claims(sha256, find_claims(node.storage, sha256, paging.limit, paging.cursor))

    return await answer(node, work, paging.min_block)


@router.get(
    "/manifests/{root}",
    summary="A manifest",
    operation_id="manifest",
    response_model=dict[str, object],
    responses=documented(NOT_FOUND, INVALID),
)
async def manifest(node: NodeDep, root: Hash) -> Response:
    """Return the manifest with a content root, byte for byte, if its owner published it here."""
    begun = await in_thread(lambda: _begun(node, root))
    if begun is None:
        raise _not_public(f"No manifest with the root {root} is public here.")
    size, first = begun
    headers = {"Content-Length": str(size)}
    return StreamingResponse(_parts(node, root, size, first), headers=headers, media_type="application/json")


@router.get(
    "/metadata/{metadata_hash}",
    summary="Metadata",
    operation_id="metadata",
    response_model=dict[str, object],
    responses=documented(NOT_FOUND, INVALID),
)
async def metadata(node: NodeDep, metadata_hash: Hash) -> Response:
    """Return the metadata with a hash, in canonical form, if its owner published it here."""
    document = await in_thread(lambda: _metadata(node, metadata_hash))
    if document is None:
        raise _not_public(f"No metadata with the hash {metadata_hash} is public here.")
    return Response(document, media_type="application/json")


def _begun(node: Node, root: Bytes32) -> tuple[int, bytes] | None:
    """Return the size of a manifest and its first part."""
    if not queries_of(node).is_public(root):
        return None
    with node.storage.read() as connection:
        size = manifest_size(connection, root)
        return None if size is None else (size, manifest_part(connection, root, 0, PART))


async def _parts(node: Node, root: Bytes32, size: int, first: bytes) -> AsyncIterator[bytes]:
    """Yield a manifest in parts, each read once the client has taken the previous one, to save memory."""
    yield first
    for start in range(PART, size, PART):
        part = await in_thread(partial(_part, node, root, start))
        if not part:  # Its owner has just retracted it: the client sees that the answer is incomplete.
            return
        yield part


def _part(node: Node, root: Bytes32, start: int) -> bytes:
    with node.storage.read() as connection:
        return manifest_part(connection, root, start, PART)


def _metadata(node: Node, metadata_hash: Bytes32) -> bytes | None:
    if not queries_of(node).is_public(metadata_hash):
        return None
    with node.storage.read() as connection:
        return metadata_of(connection, metadata_hash)


def _not_public(what: str) -> Refused:
    return Refused(NOT_FOUND, what, hint="Its owner may have it.")
