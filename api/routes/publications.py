"""What owners say of their documents and of requests for access: statements, signed, off the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from fastapi import APIRouter, Response

from api import answers
from api.bodies import DocumentsSubmission, FullId, RequestPolicySubmission, RetractionSubmission, Submission
from api.deps import NodeDep, in_thread, in_write_thread
from api.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    LARGE,
    LIMIT,
    MALFORMED,
    MEDIA,
    NOT_FOUND,
    SLOW,
    documented,
    invalid,
)
from api.publications import accept, publication_of
from api.reads import IdPrefix
from api.strict import PublicationRoute, StrictRoute
from api.writes import check_times
from registry.base.primitives import ZERO_BYTES32, DatasetId
from registry.index import shapes
from registry.node import Node
from registry.rooms.access import policies
from registry.rooms.datasets import publications as documents
from registry.rooms.datasets.statements import DatasetStatement
from registry.statements.store import Accepted

publications = APIRouter(prefix="/v1/datasets/{dataset_id}", tags=["documents"], route_class=PublicationRoute)
others = APIRouter(prefix="/v1/datasets/{dataset_id}", tags=["documents"], route_class=StrictRoute)

_WRITE: Final[dict[str, Any]] = {
    "responses": documented(MALFORMED, FORBIDDEN, NOT_FOUND, SLOW, CONFLICT, LARGE, MEDIA, INVALID, LIMIT)
}


@publications.post(
    "/publications",
    summary="Make documents of a version public",
    operation_id="publish",
    response_model=answers.DocumentRecords,
    **_WRITE,
)
async def publish(dataset_id: FullId, body: DocumentsSubmission, node: NodeDep) -> Response:
    """Take documents that the dataset's owner lets everybody read."""
    statement = body.message
    _check_path(statement, dataset_id)
    check_times(node, body)
    for name, key in (("manifest", statement.content_root), ("metadata", statement.metadata_hash)):
        if (key != ZERO_BYTES32) != (name in body.names):
            raise invalid(f"body.{name}", "the publication and the documents sent do not name the same documents")

    def work() -> Response:
        root, metadata_hash = node.queries.version_hashes(dataset_id, statement.version)
        if not set(statement.documents) <= {root, metadata_hash}:
            raise invalid(
                "body.message",
                f"version {statement.version} has the contentRoot {root} and the metadataHash {metadata_hash}",
            )
        write = publication_of(node, statement, body.signature_bytes, body)
        with node.storage.write() as connection:
            write(connection)
        node.wake()
        return _records(node, dataset_id)

    return await in_write_thread(work)


@others.post(
    "/retractions",
    summary="Take documents of a version back",
    operation_id="retract",
    response_model=answers.DocumentRecords,
    **_WRITE,
)
async def retract(dataset_id: FullId, body: RetractionSubmission, node: NodeDep) -> Response:
    """Show documents no longer, and erase them here where no other version shows them. Proofs are not touched."""
    await _decide(node, dataset_id, body, documents.retract)
    node.wake()
    return await in_thread(lambda: _records(node, dataset_id))


@others.get(
    "/publications",
    summary="Its documents",
    operation_id="publications",
    response_model=answers.DocumentRecords,
    responses=documented(NOT_FOUND, CONFLICT, INVALID),
)
async def records(dataset_id: IdPrefix, node: NodeDep) -> Response:
    """Every document that was ever published here for a version, and what became of it."""
    return await in_thread(lambda: _records(node, node.queries.resolve(dataset_id)))


@others.post(
    "/request-policy",
    summary="Take requests for access, or none",
    operation_id="setRequestPolicy",
    response_model=answers.RequestPolicyAnswer,
    **_WRITE,
)
async def set_request_policy(dataset_id: FullId, body: RequestPolicySubmission, node: NodeDep) -> Response:
    """Say whether this gateway takes requests for access to a dataset. The contract itself can always be asked."""
    await _decide(node, dataset_id, body, policies.set_request_policy)
    return await in_thread(lambda: _policy(node, dataset_id))


@others.get(
    "/request-policy",
    summary="Whether it takes requests for access",
    operation_id="requestPolicy",
    response_model=answers.RequestPolicyAnswer,
    responses=documented(NOT_FOUND, CONFLICT, INVALID),
)
async def request_policy(dataset_id: IdPrefix, node: NodeDep) -> Response:
    """Whether this gateway takes requests for access to a dataset, by its owner's word, and how many may be open."""
    return await in_thread(lambda: _policy(node, node.queries.resolve(dataset_id)))


def _check_path(statement: DatasetStatement, dataset_id: DatasetId) -> None:
    if statement.dataset_id != dataset_id:
        raise invalid("body.message.datasetId", f"it is {statement.dataset_id}, but the path names {dataset_id}")


async def _decide(
    node: Node, dataset_id: DatasetId, body: Submission[Any], keep: Callable[[Any, Accepted[Any]], None]
) -> None:
    """Check a statement and keep what it decides."""
    _check_path(body.message, dataset_id)
    check_times(node, body)

    def work() -> None:
        accepted = accept(node, body.message, body.signature_bytes)
        with node.storage.write() as connection:
            keep(connection, accepted)

    await in_write_thread(work)


def _records(node: Node, dataset_id: DatasetId) -> Response:
    with node.storage.read() as connection:
        known = documents.records_of(connection, dataset_id)
    items = [
        {
            "version": record.version,
            "kind": record.kind,
            "hash": str(record.document),
            "state": record.state,
            "publishedAt": shapes.time(int(record.published_at)),
            "retractedAt": None if record.retracted_at is None else shapes.time(int(record.retracted_at)),
            "reason": record.reason,
            "withheldAt": None if record.withheld_at is None else shapes.time(int(record.withheld_at)),
            "withheldFor": record.withheld_for,
        }
        for record in known
    ]
    return Response(orjson.dumps({"datasetId": str(dataset_id), "items": items}), media_type="application/json")


def _policy(node: Node, dataset_id: DatasetId) -> Response:
    with node.storage.read() as connection:
        accepted = policies.accepts_requests(connection, dataset_id)
    body = {"datasetId": str(dataset_id), "accepted": accepted, "maxOpen": node.settings.max_open_requests}
    return Response(orjson.dumps(body), media_type="application/json")
