"""Access to a dataset: grants, requests, whether access is allowed at a time, and the messages that change it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api import shapes
from api.deps import NodeDep
from api.reads import RESPONSES, MinBlock, Moment, PagingDep, answer
from api.rooms.access import answers
from api.rooms.access import shapes as own_shapes
from api.rooms.access.bodies import AccessGrantSubmission, AccessRequestSubmission, AccessRevocationSubmission
from api.rooms.access.reads import queries_of
from api.rooms.datasets import reads as datasets
from api.rooms.datasets.ids import FullId, IdPrefix
from api.shapes import Json
from api.strict import StrictRoute
from api.writes import WRITE, MessageIntakeDep
from registry.base.primitives import Address
from registry.node import Node
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.access.request_limits import limiting, require_room

reads = APIRouter(prefix="/v1/datasets/{dataset_id}", tags=["datasets"], route_class=StrictRoute)
writes = APIRouter(tags=["writes"], route_class=StrictRoute)


@reads.get(
    "/grants",
    summary="Its grants",
    operation_id="grants",
    response_model=answers.GrantPage,
    responses=RESPONSES,
)
async def grants(
    node: NodeDep,
    dataset_id: IdPrefix,
    paging: PagingDep,
    grantee: Annotated[Address | None, Query(description="Only grants of this grantee.")] = None,
) -> Response:
    """Return the grants of a dataset, newest first, including those that have ended."""

    def work() -> Json:
        now = node.index.now(node.clock())
        full_id = datasets.queries_of(node).resolve(dataset_id)
        page = queries_of(node).grants(full_id, grantee, paging.limit, paging.cursor)
        return shapes.page(page, partial(own_shapes.grant, now=now))

    return await answer(node, work, paging.min_block)


@reads.get(
    "/requests",
    summary="Its requests for access",
    operation_id="accessRequests",
    response_model=answers.AccessRequestPage,
    responses=RESPONSES,
)
async def access_requests(node: NodeDep, dataset_id: IdPrefix, paging: PagingDep) -> Response:
    """Return the requests for access to a dataset, newest first, each with whether a grant followed."""

    def work() -> Json:
        full_id = datasets.queries_of(node).resolve(dataset_id)
        page = queries_of(node).requests(full_id, paging.limit, paging.cursor)
        return shapes.page(page, own_shapes.listed_request)

    return await answer(node, work, paging.min_block)


@reads.get(
    "/grantees/{address}",
    summary="One grantee",
    operation_id="grantee",
    response_model=answers.Grantee,
    responses=RESPONSES,
)
async def grantee(
    node: NodeDep,
    dataset_id: IdPrefix,
    address: Annotated[Address, Path(description="The grantee's address.")],
    min_block: MinBlock = None,
) -> Response:
    """Return the numbers that the next message about a grantee must have, and their latest grants and requests."""

    def work() -> Json:
        grantee = queries_of(node).grantee(datasets.queries_of(node).resolve(dataset_id), address)
        return own_shapes.grantee(grantee, node.index.now(node.clock()))

    return await answer(node, work, min_block)


@reads.get(
    "/access",
    summary="Whether an account may use it",
    operation_id="access",
    response_model=answers.AccessAnswer,
    responses=RESPONSES,
)
async def access(
    node: NodeDep,
    dataset_id: IdPrefix,
    address: Annotated[Address, Query(description="Who.")],
    at: Annotated[Moment | None, Query(description="ISO 8601 with a zone, or Unix seconds; by default now.")] = None,
    min_block: MinBlock = None,
) -> Response:
    """Return whether an account may use a dataset at a time; the time may be in the past."""

    def work() -> Json:
        moment = node.index.now(node.clock()) if at is None else at
        answer = queries_of(node).access(datasets.queries_of(node).resolve(dataset_id), address, moment)
        return own_shapes.access(answer, moment)

    return await answer(node, work, min_block)


@writes.post(AccessRequest.PATH, summary="Ask for access", operation_id="requestAccess", **WRITE)
async def request_access(dataset_id: FullId, body: AccessRequestSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a request for access, signed by the account that asks."""
    return await intake.take(
        body,
        dataset_id,
        first=partial(_require_room, intake.node, body.message),
        admission=limiting(body.message, intake.node.settings.max_open_requests),
    )


@writes.post(AccessGrant.PATH, summary="Grant access", operation_id="grant", **WRITE)
async def grant(dataset_id: FullId, body: AccessGrantSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a signed grant."""
    return await intake.take(body, dataset_id)


@writes.post(AccessRevocation.PATH, summary="Revoke access", operation_id="revoke", **WRITE)
async def revoke(dataset_id: FullId, body: AccessRevocationSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a signed revocation."""
    return await intake.take(body, dataset_id)


def _require_room(node: Node, message: AccessRequest) -> None:
    with node.storage.read() as connection:
        require_room(connection, message, node.settings.max_open_requests)
