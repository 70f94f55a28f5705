"""Checkpoints signed by this node and cosigned by witnesses, and the alarms about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.answers import Answer, Height, Time
from api.deps import NodeDep, read
from api.problems import INVALID, NOT_FOUND, documented
from api.strict import StrictRoute
from registry.base.errors import NotFound
from registry.base.primitives import Bytes32
from registry.base.times import iso_time
from registry.checkpoints.store import CheckpointStore, SignedCheckpoint
from registry.notes.checkpoint import MAX_HEIGHT
from registry.notes.note import MAX_SIGNATURES

MAX_ITEMS = 200

router = APIRouter(prefix="/v1/checkpoints", tags=["chain"], route_class=StrictRoute)


class CheckpointItem(Answer):
    """The statement of which block is at a height, signed by this node and possibly by witnesses."""

    height: Height
    block_hash: Bytes32
    signed_at: Time
    cosigned_by: list[str] = Field(description="The names of the witnesses' keys.")
    note: str = Field(description="The signed note (C2SP signed-note), for `tdr verify --trust` and other verifiers.")


class CheckpointPage(Answer):
    """Checkpoints, ascending by height."""

    items: list[CheckpointItem]
    next: int | None = Field(description="The `from` of the next page; null on the last.")


class CheckpointKeys(Answer):
    """The keys of the checkpoints. Compare them with a copy from another source before trusting them."""

    node: list[str] = Field(description="The keys of this node: one, unless its key was replaced.")
    witnesses: list[str] = Field(description="The keys of the witnesses, past ones included.")


class CheckpointAlarm(Answer):
    """Two statements about one chain that cannot both be true."""

    number: int = Field(ge=1)
    kind: Literal["two-notes", "other-block", "fork"]
    height: Height
    ours: str = Field(description="The note that was signed first; without signatures, the block that was followed.")
    theirs: str = Field(
        description="The note that contradicts it; without signatures, the present block of the reporter's node."
    )
    reporter: str = Field(description="The name of the key of the reporter.")
    reported_at: Time


class CheckpointAlarms(Answer):
    """All alarms, oldest first."""

    items: list[CheckpointAlarm]


Cosignatures = Annotated[int, Query(ge=0, le=MAX_SIGNATURES, description="The minimum number of cosignatures.")]


@router.get(
    "", summary="Checkpoints", operation_id="checkpoints", response_model=CheckpointPage,
    responses=documented(INVALID),
)  # fmt: skip
async def checkpoints(
    node: NodeDep,
    since: Annotated[int, Query(alias="from", ge=0, le=MAX_HEIGHT, description="The lowest height.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_ITEMS, description="The maximum number of items.")] = 50,
) -> Response:
    """Return the checkpoints from a height on, ascending; with `limit=1`, the one that covers the height."""
    store = CheckpointStore(node.storage)
    page = await read(node, lambda: store.page(since, limit + 1))
    following = page[limit].height if len(page) > limit else None
    return _json({"items": [_item(checkpoint) for checkpoint in page[:limit]], "next": following})


@router.get(
    "/latest", summary="The newest checkpoint", operation_id="latestCheckpoint", response_model=CheckpointItem,
    responses=documented(NOT_FOUND, INVALID),
)  # fmt: skip
async def latest(node: NodeDep, cosignatures: Cosignatures = 0) -> Response:
    """Return the newest checkpoint; with `cosignatures`, the newest that at least this many witnesses cosigned."""
    checkpoint = await read(node, lambda: CheckpointStore(node.storage).newest(cosignatures=cosignatures))
    if checkpoint is None:
        raise NotFound(
            "There is no such checkpoint yet.", hint="The node signs one soon; witnesses may take longer to cosign it."
        )
    return _json(_item(checkpoint))


@router.get(
    "/keys", summary="The keys of the checkpoints", operation_id="checkpointKeys", response_model=CheckpointKeys,
    responses=documented(),
)  # fmt: skip
async def keys(node: NodeDep) -> Response:
    """Return the public keys of this node and its witnesses, as C2SP verifier keys."""
    nodes, witnesses = await read(node, CheckpointStore(node.storage).keys)
    return _json({"node": [str(key) for key in nodes], "witnesses": [str(key) for key in witnesses]})


@router.get(
    "/alarms", summary="Alarms about checkpoints", operation_id="checkpointAlarms",
    response_model=CheckpointAlarms, responses=documented(),
)  # fmt: skip
async def alarms(node: NodeDep) -> Response:
    """Return every contradiction that this node or a witness found, each with both statements."""
    stored = await read(node, CheckpointStore(node.storage).alarms)
    items = [
        {
            "number": item.number,
            **item.alarm.to_json(),
            "reporter": item.reporter,
            "reportedAt": iso_time(item.reported_at),
        }
        for item in stored
    ]
    return _json({"items": items})


@router.get(
    "/{height}", summary="The checkpoint for a height", operation_id="checkpoint",
    response_model=CheckpointItem, responses=documented(NOT_FOUND, INVALID),
)  # fmt: skip
async def checkpoint(
    node: NodeDep, height: Annotated[int, Path(ge=0, le=MAX_HEIGHT, description="A block's height.")]
) -> Response:
    """Return the checkpoint for exactly this height."""
    return _json(_item(await read(node, lambda: CheckpointStore(node.storage).at(height))))


def _item(checkpoint: SignedCheckpoint) -> dict[str, Any]:
    # The node's own signature is the first: it signs a note before witnesses are asked to cosign.
    return {
        "height": checkpoint.height,
        "blockHash": str(checkpoint.block_hash),
        "signedAt": iso_time(checkpoint.signed_at),
        "cosignedBy": [line.name for line in checkpoint.note.signatures[1:]],
        "note": str(checkpoint.note),
    }


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
