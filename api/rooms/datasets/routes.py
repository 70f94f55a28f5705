"""Datasets, their versions and their history: reads, and the messages that change them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from api import shapes
from api.deps import NodeDep
from api.problems import INVALID, documented, invalid
from api.reads import RESPONSES, MinBlock, PagingDep, Sha256, answer
from api.rooms.datasets import answers
from api.rooms.datasets import shapes as own_shapes
from api.rooms.datasets.bodies import (
    RegistrationSubmission,
    RevisionSubmission,
    TitleTransferSubmission,
    VersionSubmission,
    WithdrawalSubmission,
)
from api.rooms.datasets.documents import documents_of
from api.rooms.datasets.ids import FullId, IdPrefix
from api.rooms.datasets.reads import queries_of, reads_of
from api.shapes import Json
from api.strict import PublicationRoute, StrictRoute
from api.writes import WRITE, MessageIntake, MessageIntakeDep, check_times
from registry.base.primitives import Address, DatasetId
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.search import NO_FILTER, DatasetFilter, find_datasets

reads = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=StrictRoute)
versions_in = APIRouter(tags=["writes"], route_class=PublicationRoute)
writes = APIRouter(tags=["writes"], route_class=StrictRoute)


async def _filters(
    owner: Annotated[Address | None, Query(description="The present owner.")] = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=500, description="The whole name, ignoring case.")
    ] = None,
    q: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Words of the name, in any order.")
    ] = None,
    sha256: Annotated[
        Sha256 | None, Query(description="A content root, a metadata hash, or the hash of a file.")
    ] = None,
    status: Annotated[Literal["active", "withdrawn"] | None, Query(description="Whether it is withdrawn.")] = None,
    source: Annotated[DatasetId | None, Query(description="A dataset that it derives from.")] = None,
) -> DatasetFilter:
    return DatasetFilter(
        owner=owner,
        name=name,
        words=q,
        sha256=sha256,
        is_withdrawn=None if status is None else status == "withdrawn",
        source=source,
    )


@reads.get(
    "",
    summary="Find datasets",
    operation_id="datasets",
    response_model=answers.DatasetPage,
    responses=documented(INVALID),
)
async def datasets(node: NodeDep, filters: Annotated[DatasetFilter, Depends(_filters)], paging: PagingDep) -> Response:
    """Return the datasets that match all filters, newest registration first."""
    limit, cursor = paging.limit, paging.cursor
    hot = reads_of(node).hot if filters == NO_FILTER else None
    return await answer(
        node,
        lambda: shapes.page(find_datasets(node.storage, filters, limit, cursor), own_shapes.item),
        paging.min_block,
        at_once=None if hot is None else lambda: shapes.page(hot.datasets(limit, cursor), own_shapes.item),
    )


@reads.get(
    "/{dataset_id}",
    summary="One dataset",
    operation_id="dataset",
    response_model=answers.Dataset,
    responses=RESPONSES,
)
async def dataset(node: NodeDep, dataset_id: IdPrefix, min_block: MinBlock = None) -> Response:
    """Return a dataset in its present state."""
    queries, hot = queries_of(node), reads_of(node).hot
    is_whole = len(dataset_id.removeprefix("0x")) == 2 * DatasetId.LENGTH
    return await answer(
        node,
        lambda: own_shapes.dataset(queries.dataset(queries.resolve(dataset_id))),
        min_block,
        at_once=(lambda: own_shapes.dataset(hot.dataset(queries.resolve(dataset_id)))) if hot and is_whole else None,
    )


@reads.get(
    "/{dataset_id}/versions",
    summary="Its versions",
    operation_id="versions",
    response_model=answers.VersionPage,
    responses=RESPONSES,
)
async def versions(node: NodeDep, dataset_id: IdPrefix, paging: PagingDep) -> Response:
    """Return the versions of a dataset, ascending."""
    queries = queries_of(node)

    def work() -> Json:
        page = queries.versions(queries.resolve(dataset_id), paging.limit, paging.cursor)
        return shapes.page(page, own_shapes.version)

    return await answer(node, work, paging.min_block)


@reads.get(
    "/{dataset_id}/history",
    summary="Its history",
    operation_id="history",
    response_model=answers.HistoryPage,
    responses=RESPONSES,
)
async def history(node: NodeDep, dataset_id: IdPrefix, paging: PagingDep) -> Response:
    """Return every change of a dataset, oldest first, each with the head after it."""
    queries = queries_of(node)

    def work() -> Json:
        page = queries.history(queries.resolve(dataset_id), paging.limit, paging.cursor)
        return shapes.page(page, own_shapes.step)

    return await answer(node, work, paging.min_block)


@versions_in.post(Registration.PATH, summary="Register a dataset", operation_id="register", **WRITE)
async def register(body: RegistrationSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a signed registration, optionally with the documents whose hashes it contains."""
    return await _take_version(intake, body)


@versions_in.post(Revision.PATH, summary="Register a new version", operation_id="revise", **WRITE)
async def revise(dataset_id: FullId, body: RevisionSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a signed revision, optionally with the documents whose hashes it contains."""
    return await _take_version(intake, body, dataset_id)


@writes.post(TitleTransfer.PATH, summary="Transfer the title", operation_id="transfer", **WRITE)
async def transfer(dataset_id: FullId, body: TitleTransferSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a signed transfer of the title."""
    return await intake.take(body, dataset_id)


@writes.post(Withdrawal.PATH, summary="Withdraw a dataset", operation_id="withdraw", **WRITE)
async def withdraw(dataset_id: FullId, body: WithdrawalSubmission, intake: MessageIntakeDep) -> Response:
    """Accept a signed withdrawal."""
    return await intake.take(body, dataset_id)


async def _take_version(
    intake: MessageIntake, body: VersionSubmission[Any], dataset_id: DatasetId | None = None
) -> Response:
    """Accept a message that makes a version, and store its documents in the same database transaction."""
    if body.publication is not None:
        check_times(intake.node, body.publication)
    if body.names and body.publication is None:
        raise invalid(
            f"body.{body.names[0]}",
            "documents need a publication signed by the owner",
            hint="Sign a Publication that names them and send it as `publication`, or send no documents.",
        )
    also = None if body.publication is None else partial(documents_of, intake.node, body, body.publication)
    return await intake.take(body, dataset_id, also=also, documents=body.names)
