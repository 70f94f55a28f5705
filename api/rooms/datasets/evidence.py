"""Evidence: the bundle that proves a dataset's record without this gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.deps import NodeDep, in_heavy_thread
from api.problems import CONFLICT, INVALID, NOT_FOUND, documented, invalid
from api.reads import Moment
from api.rooms.datasets.ids import IdPrefix
from api.rooms.datasets.reads import queries_of
from api.strict import StrictRoute
from registry.base.canonical import read_json
from registry.base.errors import InvalidInput, NotFound, Unavailable
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.history import BlockRef, block_at
from registry.checkpoints.store import CheckpointStore
from registry.documents.store import manifest_of
from registry.evidence_export.blocks import block_as_of
from registry.evidence_export.bundles import NO_CHECKPOINTS, SignedBlocks, export_bundle
from registry.evidence_export.content import ContentSelection
from registry.manifest.cache import ManifestCache
from registry.manifest.text import ManifestText
from registry.node import Node
from registry.notes.note import MAX_SIGNATURES
from registry.rooms.datasets.publications import is_public, public_metadata
from registry.rooms.datasets.records import Dataset

WHOLE_MANIFEST: Final = 1_000
"""The largest number of files for which a bundle contains the manifest if no file was named."""

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=StrictRoute)


@router.get(
    "/{dataset_id}/evidence",
    summary="Its evidence bundle",
    operation_id="evidence",
    response_model=dict[str, object],
    responses=documented(NOT_FOUND, CONFLICT, INVALID),
)
async def evidence(
    node: NodeDep,
    request: Request,
    dataset_id: IdPrefix,
    file: Annotated[
        list[str] | None,
        Query(max_length=1_000, description="The path of a file to show, instead of the whole manifest; repeatable."),
    ] = None,
    version: Annotated[int | None, Query(ge=1, lt=2**24, description="The version whose content to show.")] = None,
    grantee: Annotated[
        list[Address] | None,
        Query(
            max_length=1_000,
            description="The grantees whose access and requests to show; by default all who ever had a grant.",
        ),
    ] = None,
    at: Annotated[Moment | None, Query(description="The time that it is as of; by default the latest block.")] = None,
    cosignatures: Annotated[
        int | None,
        Query(ge=0, le=MAX_SIGNATURES, description="As of the newest checkpoint with at least this many cosignatures."),
    ] = None,
) -> Response:
    """Return an evidence bundle (`tdr-evidence/1`), to be verified offline: `tdr verify PATH --bundle FILE`.

    With `cosignatures`, it contains the checkpoints for its blocks, and is as of the newest of them.
    """
    if at is not None and cosignatures is not None:
        raise invalid("cosignatures", "it cannot be combined with `at`: give one of them")

    def make() -> tuple[DatasetId, bytes]:
        full = queries_of(node).resolve(dataset_id)
        until = block_as_of(node.chain, at) if cosignatures is None else _checkpointed(node, cosignatures)
        bundle = export_bundle(
            node.chain,
            node.deployment,
            full,
            until,
            grantees=grantee,
            shown=lambda dataset: shown_content(node, dataset, version, file or []),
            checkpoints=NO_CHECKPOINTS
            if cosignatures is None
            else lambda heights: _signed(node, heights, cosignatures),
        )
        return full, bundle

    full, bundle = await in_heavy_thread(request, make)
    name = f"{full.hex()[:16]}.tdr.json"
    return Response(
        bundle, headers={"Content-Disposition": f'attachment; filename="{name}"'}, media_type="application/json"
    )


def _checkpointed(node: Node, cosignatures: int) -> BlockRef:
    """Return the block of the newest checkpoint with at least this many cosignatures."""
    newest = CheckpointStore(node.storage).newest(cosignatures=cosignatures)
    if newest is None:
        raise NotFound(f"No checkpoint has {cosignatures} cosignatures yet.")
    block = block_at(node.chain, hex(newest.height))
    if block.hash != newest.block_hash:
        raise Unavailable(f"The chain does not have the block that the checkpoint states at height {newest.height}.")
    return block


def _signed(node: Node, heights: Sequence[int], cosignatures: int) -> SignedBlocks:
    """Return the checkpoints for some blocks."""
    store = CheckpointStore(node.storage)
    covering = {height: store.covering(height, cosignatures=cosignatures) for height in heights}
    notes = {checkpoint.height: checkpoint.note for checkpoint in covering.values() if checkpoint is not None}
    nodes, witnesses = store.keys()
    return SignedBlocks([notes[height] for height in sorted(notes)], [*nodes, *witnesses])


_MANIFESTS: Final = ManifestCache()


def _public_manifest(connection: Any, dataset_id: DatasetId, version: int, root: Bytes32) -> ManifestText | None:
    """Return a version's manifest if it is public; read it once, even if it is needed several times."""
    if not is_public(connection, dataset_id, version, root):
        return None
    return _MANIFESTS.get(root, lambda: manifest_of(connection, root))


def shown_content(node: Node, dataset: Dataset, number: int | None, files: list[str]) -> ContentSelection:
    """Return what is public here of a version's content, as far as a bundle should contain it."""
    number = number or dataset.latest.number
    if number > len(dataset.versions):
        raise NotFound(f"The dataset has no version {number}.")
    version = dataset.versions[number - 1]
    with node.storage.read() as connection:
        manifest = _public_manifest(connection, dataset.dataset_id, number, version.content_root)
        described = public_metadata(connection, dataset.dataset_id, number, version.metadata_hash)
    if files and manifest is None:
        raise NotFound("The manifest is not stored here; no file can be shown.", hint="Its owner may have it.")
    if manifest is not None and not files and len(manifest) > WHOLE_MANIFEST:
        manifest = None
    metadata = None if described is None else read_json(described)
    if metadata is not None and not isinstance(metadata, dict):
        raise InvalidInput("The metadata stored here is not a JSON object.")
    return ContentSelection(manifest, files, metadata, number)
