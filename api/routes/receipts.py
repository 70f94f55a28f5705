"""Receipts: the state of a write."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Annotated, Final, Literal

import orjson
from fastapi import APIRouter, Path, Query, Response

from api import answers
from api.deps import NodeDep, read
from api.heights import watch_of
from api.problems import INVALID, NOT_FOUND, documented
from api.strict import StrictRoute
from registry.base.errors import Unavailable
from registry.relay.receipts import Receipt, read_receipt

MAX_WAIT: Final = 60
FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 0.5

router = APIRouter(prefix="/v1/receipts", tags=["writes"], route_class=StrictRoute)


@router.get(
    "/{receipt_id}",
    summary="The receipt of a write",
    operation_id="receipt",
    response_model=answers.Receipt,
    responses=documented(NOT_FOUND, INVALID),
)
async def receipt(
    node: NodeDep,
    receipt_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The receipt's id.")],
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the write to end.")] = 0,
    until: Annotated[
        Literal["mined", "final"], Query(description="The state to wait for; `failed` always ends the wait.")
    ] = "mined",
) -> Response:
    """Return a receipt; with `wait`, as soon as the write has ended and this gateway's reads include it."""
    # A waiting request uses no thread: it sleeps and reads again.
    deadline = time.monotonic() + wait
    pause = FIRST_PAUSE
    while True:
        record = await read(node, lambda: read_receipt(node.storage, receipt_id))
        remaining = deadline - time.monotonic()
        if _has_ended(record, until) and record.block_number is not None and remaining > 0:
            # Read-your-writes: a client that waited for the block sees it in every later read.
            with suppress(Unavailable):
                await watch_of(node).reached(record.block_number, remaining)
            return Response(orjson.dumps(record.to_json(node.rooms.protocols)), media_type="application/json")
        if _has_ended(record, until) or remaining <= 0 or node.is_stopping:
            return Response(orjson.dumps(record.to_json(node.rooms.protocols)), media_type="application/json")
        await asyncio.sleep(min(pause, remaining))
        pause = min(1.5 * pause, LONGEST_PAUSE)


def _has_ended(receipt: Receipt, until: Literal["mined", "final"]) -> bool:
    return receipt.is_closed or (until == "mined" and receipt.is_settled)
