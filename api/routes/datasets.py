"""What is registered: datasets, their versions and their history."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api import answers
from api.deps import NodeDep
from api.problems import INVALID, documented
from api.reads import RESPONSES, IdPrefix, Limit, MinBlock, PageCursor, Sha256, answer
from api.strict import StrictRoute
from registry.base.primitives import Address, DatasetId
from registry.index.pages import DEFAULT_LIMIT
from registry.index.queries import DatasetFilter

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=StrictRoute)


@router.get(
    "",
    summary="Find datasets",
    operation_id="datasets",
    response_model=answers.DatasetPage,
    responses=documented(INVALID),
)
async def datasets(
    node: NodeDep,
    owner: Annotated[Address | None, Query(description="The present owner.")] = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=500, description="The whole name, whatever its case.")
    ] = None,
    q: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Words of the name, in any order.")
    ] = None,
    sha256: Annotated[
        Sha256 | None, Query(description="A content root, a metadata hash, or the hash of a file.")
    ] = None,
    status: Annotated[Literal["active", "withdrawn"] | None, Query(description="Whether it is withdrawn.")] = None,
    source: Annotated[DatasetId | None, Query(description="A dataset that it derives from.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: PageCursor = None,
    min_block: MinBlock = None,
) -> Response:
    """Datasets, the newest registration first; every filter that is given must be met."""
    wanted = DatasetFilter(
        owner=owner,
        name=name,
        words=q,
        sha256=sha256,
        is_withdrawn=None if status is None else status == "withdrawn",
        source=source,
    )
    every = (lambda hot: hot.datasets(limit, cursor)) if wanted == DatasetFilter() else None
    return await answer(node, lambda queries: queries.datasets(wanted, limit, cursor), min_block, every)


@router.get(
    "/{dataset_id}",
    summary="One dataset",
    operation_id="dataset",
    response_model=answers.Dataset,
    responses=RESPONSES,
)
async def dataset(node: NodeDep, dataset_id: IdPrefix, min_block: MinBlock = None) -> Response:
    """A dataset as it is now."""
    return await answer(node, lambda queries: queries.dataset(queries.resolve(dataset_id)), min_block)


@router.get(
    "/{dataset_id}/versions",
    summary="Its versions",
    operation_id="versions",
    response_model=answers.VersionPage,
    responses=RESPONSES,
)
async def versions(
    node: NodeDep,
    dataset_id: IdPrefix,
    limit: Limit = DEFAULT_LIMIT,
    cursor: PageCursor = None,
    min_block: MinBlock = None,
) -> Response:
    """The versions of a dataset, the first first."""
    return await answer(node, lambda queries: queries.versions(queries.resolve(dataset_id), limit, cursor), min_block)


@router.get(
    "/{dataset_id}/history",
    summary="Its history",
    operation_id="history",
    response_model=answers.HistoryPage,
    responses=RESPONSES,
)
async def history(
    node: NodeDep,
    dataset_id: IdPrefix,
    limit: Limit = DEFAULT_LIMIT,
    cursor: PageCursor = None,
    min_block: MinBlock = None,
) -> Response:
    """All that changed a dataset, the first first, each step with the head after it."""
    return await answer(node, lambda queries: queries.history(queries.resolve(dataset_id), limit, cursor), min_block)
