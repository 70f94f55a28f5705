"""The documents of datasets: owners publish and retract them by signed statements, off the chain."""

from __future__ import annotations

from functools import partial

import orjson
from fastapi import APIRouter, Response

from api.deps import NodeDep, in_thread
from api.problems import CONFLICT, INVALID, NOT_FOUND, documented, invalid
from api.rooms.datasets import answers
from api.rooms.datasets.bodies import DocumentsSubmission, RetractionSubmission
from api.rooms.datasets.documents import publication_of
from api.rooms.datasets.ids import FullId, IdPrefix
from api.rooms.datasets.reads import queries_of
from api.rooms.datasets.statements import RESPONSES, accept, take_statement
from api.strict import PublicationRoute, StrictRoute
from registry.base.primitives import ZERO_BYTES32, DatasetId
from registry.base.times import iso_time
from registry.node import Node
from registry.relay.intake import Write
from registry.rooms.datasets import publications as documents
from registry.rooms.datasets.statements import Publication, Retraction

documents_in = APIRouter(tags=["documents"], route_class=PublicationRoute)
router = APIRouter(tags=["documents"], route_class=StrictRoute)


@documents_in.post(
    Publication.PATH,
    summary="Make documents of a version public",
    operation_id="publish",
    response_model=answers.DocumentRecords,
    responses=RESPONSES,
)
async def publish(dataset_id: FullId, body: DocumentsSubmission, node: NodeDep) -> Response:
    """Publish documents of a version, as the dataset's owner signed."""
    statement = body.message

    def checked() -> Write:
        for name, key in (("manifest", statement.content_root), ("metadata", statement.metadata_hash)):
            if (key != ZERO_BYTES32) != (name in body.names):
                raise invalid(f"body.{name}", "the publication does not name the same documents as those sent")
        root, metadata_hash = queries_of(node).version_hashes(dataset_id, statement.version)
        if not set(statement.documents) <= {root, metadata_hash}:
            raise invalid(
                "body.message",
                f"version {statement.version} has the contentRoot {root} and the metadataHash {metadata_hash}",
            )
        return publication_of(node, statement, body.signature_bytes, body)

    return await take_statement(node, dataset_id, body, checked, partial(_records, node, dataset_id))


@router.post(
    Retraction.PATH,
    summary="Retract documents of a version",
    operation_id="retract",
    response_model=answers.DocumentRecords,
    responses=RESPONSES,
)
async def retract(dataset_id: FullId, body: RetractionSubmission, node: NodeDep) -> Response:
    """Retract documents, and erase them here unless another version shows them. Proofs stay valid."""

    def checked() -> Write:
        return partial(documents.retract, accepted=accept(node, body.message, body.signature_bytes))

    return await take_statement(node, dataset_id, body, checked, partial(_records, node, dataset_id))


@router.get(
    Publication.PATH,
    summary="Its documents",
    operation_id="publications",
    response_model=answers.DocumentRecords,
    responses=documented(NOT_FOUND, CONFLICT, INVALID),
)
async def records(dataset_id: IdPrefix, node: NodeDep) -> Response:
    """Return every document that was ever published here for a version, and its present state."""
    return await in_thread(lambda: _records(node, queries_of(node).resolve(dataset_id)))


def _records(node: Node, dataset_id: DatasetId) -> Response:
    with node.storage.read() as connection:
        known = documents.records_of(connection, dataset_id)
    items = [
        {
            "version": record.version,
            "kind": record.kind,
            "hash": str(record.document),
            "state": record.state,
            "publishedAt": iso_time(int(record.published_at)),
            "retractedAt": None if record.retracted_at is None else iso_time(int(record.retracted_at)),
            "reason": record.reason,
            "withheldAt": None if record.withheld_at is None else iso_time(int(record.withheld_at)),
            "withheldFor": record.withheld_for,
        }
        for record in known
    ]
    return Response(orjson.dumps({"datasetId": str(dataset_id), "items": items}), media_type="application/json")
