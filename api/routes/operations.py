"""Routes for operators: health and metrics."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Path, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from api.answers import Answer, Height, Time, in_form
from api.deps import NodeDep, in_thread
from api.problems import INVALID, NOT_FOUND, Refused, documented, explain
from api.strict import StrictRoute
from registry.base.primitives import Address
from registry.metrics import exposition

router = APIRouter(tags=["operations"], route_class=StrictRoute)


class RelayerHealth(Answer):
    """The health of the relayer."""

    address: Address | None
    balance_wei: str | None = Field(
        description="A decimal string, because JSON readers may not keep so large a number exactly."
    )
    in_flight: int
    oldest_unmined_seconds: float | None


class FinalityHealth(Answer):
    """The rule for when a block is final."""

    by: Literal["finalized", "depth"] = Field(description="By the node's `finalized` tag, or by blocks on top.")
    blocks: int | None = Field(
        None, description="The number of blocks on top that make a block final; absent for the tag."
    )


class CheckpointHealth(Answer):
    """The state of the checkpoints."""

    height: Height | None = Field(description="The height of the newest checkpoint that this node signed.")
    cosignatures: int | None = Field(description="The number of witnesses that have cosigned it.")
    alarms: int | None = Field(description="The number of alarms; /v1/checkpoints/alarms lists them.")


class Health(Answer):
    """The health of the node."""

    status: Literal["ready", "degraded"]
    problems: list[str] = Field(description="The problems, as sentences; empty when ready.")
    chain_id: int
    height: Height | None = Field(description="The height of the chain; null if it cannot be reached.")
    final_block: Height | None
    finality: FinalityHealth | None = Field(description="Null until a node of the chain has answered.")
    index_block: Height | None
    lag_blocks: int | None
    relayer: RelayerHealth
    checkpoint: CheckpointHealth
    accepted_to_mined_bound_seconds: float = Field(
        description="The published limit of the time from accepted to mined."
    )
    version: str
    time: Time


_NOT_READY: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Health, "description": "Not ready; see `problems`."}
}
_FAULTS: Final = {status: answer for status, answer in documented().items() if status != 503}


@router.get(
    "/v1/health", summary="The health of the node", operation_id="health", response_model=Health, responses=_FAULTS
)
async def health(node: NodeDep) -> Response:
    """Return the state of the node, always with status 200."""
    return Response(orjson.dumps((await in_thread(node.health)).to_json()), media_type="application/json")


@router.get(
    "/v1/health/live", summary="Whether the process answers", operation_id="live", status_code=204, responses=_FAULTS
)
async def live() -> Response:
    """Return 204 as long as the process answers."""
    return Response(status_code=204)


@router.get(
    "/v1/health/ready",
    summary="Whether the node is ready",
    operation_id="ready",
    response_model=Health,
    responses={**_FAULTS, **_NOT_READY},
)
async def ready(node: NodeDep) -> Response:
    """Return 200 if the node can accept writes and answer reads, else 503."""
    health = await in_thread(node.health)
    return Response(orjson.dumps(health.to_json()), 200 if health.is_ready else 503, media_type="application/json")


@router.get(
    "/metrics",
    summary="Measurements",
    operation_id="metrics",
    response_class=Response,
    responses={**in_form("text/plain", "In Prometheus's text format."), **_FAULTS},
)
async def metrics(node: NodeDep) -> Response:
    """Return the node's metrics in Prometheus's text format."""
    return Response(await in_thread(lambda: exposition(node.metrics)), media_type=CONTENT_TYPE_LATEST)


@router.get(
    "/problems/{slug}",
    summary="The meaning of a kind of problem",
    operation_id="problem",
    response_class=Response,
    responses={
        **in_form("text/plain", "One sentence."),
        **documented(NOT_FOUND, INVALID),
    },
)
async def problem(
    node: NodeDep, slug: Annotated[str, Path(max_length=100, description="The last part of a problem's `type`.")]
) -> Response:
    """Return the meaning of a kind of problem."""
    meaning = explain(slug, node.rooms.protocols.refusals.refusals)
    if meaning is None:
        raise Refused(NOT_FOUND, "There is no such kind of problem.")
    return Response(meaning, media_type="text/plain; charset=utf-8")
