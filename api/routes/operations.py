"""What operators ask: whether the node is well, and what it measures."""

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
    """How the relayer is."""

    address: Address | None
    balance_wei: str | None = Field(description="A decimal string: the number may exceed what JSON readers keep.")
    in_flight: int
    oldest_unmined_seconds: float | None


class FinalityHealth(Answer):
    """When a block is final."""

    by: Literal["finalized", "depth"] = Field(description="By the node's `finalized` tag, or by blocks on top.")
    blocks: int | None = Field(None, description="How many blocks on top make a block final; absent for the tag.")


class CheckpointHealth(Answer):
    """How the checkpoints are."""

    height: Height | None = Field(description="Of the newest one that this node signed.")
    cosignatures: int | None = Field(description="How many witnesses have cosigned it.")
    alarms: int | None = Field(description="How many contradictions are known; /v1/checkpoints/alarms shows them.")


class Health(Answer):
    """How the node is."""

    status: Literal["ready", "degraded"]
    problems: list[str] = Field(description="What is wrong, as sentences; empty when ready.")
    chain_id: int
    height: Height | None = Field(description="The chain's; null when it cannot be reached.")
    final_block: Height | None
    finality: FinalityHealth | None = Field(description="Null until a node of the chain has been asked.")
    index_block: Height | None
    lag_blocks: int | None
    relayer: RelayerHealth
    checkpoint: CheckpointHealth
    accepted_to_mined_bound_seconds: float = Field(description="The published bound from accepted to mined.")
    version: str
    time: Time


_NOT_READY: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Health, "description": "It is not ready; `problems` says why."}
}
_FAULTS: Final = {status: answer for status, answer in documented().items() if status != 503}


@router.get("/v1/health", summary="How the node is", operation_id="health", response_model=Health, responses=_FAULTS)
async def health(node: NodeDep) -> Response:
    """Return the state of the node, always with status 200."""
    return Response(orjson.dumps((await in_thread(node.health)).to_json()), media_type="application/json")


@router.get("/v1/health/live", summary="Whether it lives", operation_id="live", status_code=204, responses=_FAULTS)
async def live() -> Response:
    """Return 204 as long as the process answers."""
    return Response(status_code=204)


@router.get(
    "/v1/health/ready",
    summary="Whether it is ready",
    operation_id="ready",
    response_model=Health,
    responses={**_FAULTS, **_NOT_READY},
)
async def ready(node: NodeDep) -> Response:
    """Return 200 if the node can accept writes and answer reads, else 503."""
    found = await in_thread(node.health)
    return Response(orjson.dumps(found.to_json()), 200 if found.is_ready else 503, media_type="application/json")


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
    summary="What a kind of problem means",
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
    """Return what a kind of problem means."""
    meaning = explain(slug, node.rooms.protocols.refusals.refusals)
    if meaning is None:
        raise Refused(NOT_FOUND, "There is no such kind of problem.")
    return Response(meaning, media_type="text/plain; charset=utf-8")
