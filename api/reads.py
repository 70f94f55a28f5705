"""Answering from the index: waiting for a height, and the JSON itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import orjson
from fastapi import Depends, Query, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from api.deps import in_thread, read
from api.heights import watch_of
from api.problems import CONFLICT, INVALID, NOT_FOUND, UNAVAILABLE, Refused, documented, invalid
from api.shapes import Json
from registry.base.primitives import Bytes32
from registry.base.times import LAST_SECOND
from registry.index.pages import DEFAULT_LIMIT, MAX_LIMIT
from registry.node import Node

WAIT_SECONDS: Final = 10.0
MAX_AHEAD: Final = 100_000
"""How far above the index a block may lie that is waited for: nothing else is a block of this chain soon."""

MinBlock = Annotated[
    int | None,
    Query(ge=0, lt=2**63, description=f"Waits, {WAIT_SECONDS:.0f} s at most, until the index has reached this height."),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]
PageCursor = Annotated[str | None, Query(max_length=100, description="The `next` of the page before.")]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list a request asks for.

    Args:
        limit: How many rows at most.
        cursor: The `next` of the page before; None: the first page.
        min_block: The height that the index must have reached; None: do not wait.
    """

    limit: int
    cursor: str | None
    min_block: int | None


async def _paging(limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None, min_block: MinBlock = None) -> Paging:
    # A coroutine: FastAPI would call a plain function in a thread, which takes longer than most reads.
    return Paging(limit, cursor, min_block)


PagingDep = Annotated[Paging, Depends(_paging)]


def _prefixed(text: object) -> object:
    return f"0x{text}" if isinstance(text, str) and not text.startswith("0x") else text


def _moment(text: object) -> object:
    """Unix seconds from Unix seconds or ISO 8601 with a zone."""
    if isinstance(text, str) and re.fullmatch("[0-9]{1,20}", text):
        if int(text) > LAST_SECOND:
            raise ValueError("times are in Unix seconds, and this is after the year 9999; it looks like milliseconds")
        return text
    if not isinstance(text, str):
        return text
    try:
        parsed = datetime.fromisoformat(text)
        seconds = parsed.timestamp()
    except (ValueError, OverflowError):
        raise ValueError("a time is written as 2026-11-23T04:00:00Z, or in Unix seconds") from None
    if parsed.tzinfo is None:
        raise ValueError("the time has no zone; end it with Z for UTC")
    return int(seconds)


Sha256 = Annotated[
    Bytes32,
    BeforeValidator(_prefixed),
    WithJsonSchema({"type": "string", "pattern": "^(0x)?[0-9a-fA-F]{64}$", "examples": ["ab" * 32]}),
]
"""A hash, with or without 0x."""
Moment = Annotated[
    int,
    Field(ge=0, le=LAST_SECOND),
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "maxLength": 40, "examples": ["2026-11-23T04:00:00Z", "1795406400"]}),
]
"""A time, as Unix seconds; written so, or in ISO 8601 with a zone."""

RESPONSES: Final = documented(NOT_FOUND, CONFLICT, INVALID)


async def answer(
    node: Node,
    work: Callable[[], Json],
    min_block: int | None,
    *,
    at_once: Callable[[], Json] | None = None,
) -> Response:
    """Return the JSON of what the index knows, as soon as the index has a block.

    Args:
        node: The node.
        work: Read the index; called in a thread.
        min_block: The block's height; None: do not wait.
        at_once: Read the same so quickly that no thread is needed; None: it cannot.
    """
    await reach(node, min_block)
    document = await in_thread(work) if at_once is None else at_once()
    headers = {"TDR-As-Of-Block": str(document["asOfBlock"])}
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")


async def reach(node: Node, height: int | None) -> None:
    """Wait until the index has a block, or not at all for None.

    Raises:
        Refused: It did not get there in time, or is so far behind that it cannot.
    """
    if height is None:
        return
    present = (await read(node, node.index.cursor)).height
    if height <= present:
        return
    if height > present + MAX_AHEAD:
        raise invalid(
            "query.min_block",
            f"it is {height}, and the index has blocks up to {present}",
            hint=f"Give the block of a receipt; at most {MAX_AHEAD:,} blocks ahead can be waited for.",
        )
    if not await watch_of(node).reached(height, WAIT_SECONDS):
        present = (await read(node, node.index.cursor)).height
        raise Refused(
            UNAVAILABLE,
            f"The index is at block {present} and did not reach block {height} in time.",
            headers={"Retry-After": "5"},
        )
