"""Answer from the index: wait for a height, and return JSON."""

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
"""The most blocks above the index that a request may wait for; later blocks cannot be reached in time."""

MinBlock = Annotated[
    int | None,
    Query(ge=0, lt=2**63, description=f"Wait until the index has reached this height, at most {WAIT_SECONDS:.0f} s."),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="The maximum number of items.")]
PageCursor = Annotated[str | None, Query(max_length=100, description="The `next` of the previous page.")]


@dataclass(frozen=True, slots=True)
class Paging:
    """The requested page of a list.

    Args:
        limit: The maximum number of rows.
        cursor: The `next` of the previous page; None for the first page.
        min_block: The height that the index must have reached; None to not wait.
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
    """Return Unix seconds for Unix seconds or ISO 8601 with a zone."""
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
        raise ValueError("expected a time such as 2026-11-23T04:00:00Z, or Unix seconds") from None
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
"""A time in Unix seconds; requests may also give it in ISO 8601 with a zone."""

RESPONSES: Final = documented(NOT_FOUND, CONFLICT, INVALID)


async def answer(
    node: Node,
    work: Callable[[], Json],
    min_block: int | None,
    *,
    at_once: Callable[[], Json] | None = None,
) -> Response:
    """Return JSON from the index, once the index has a block.

    Args:
        node: The node.
        work: Read the index; called in a thread.
        min_block: The block's height; None to not wait.
        at_once: Read the same so quickly that no thread is needed; None if it cannot.
    """
    await reach(node, min_block)
    document = await in_thread(work) if at_once is None else at_once()
    headers = {"TDR-As-Of-Block": str(document["asOfBlock"])}
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")


async def reach(node: Node, height: int | None) -> None:
    """Wait until the index has a block; do not wait for None.

    Raises:
        Refused: The index did not reach it in time, or is too far below it.
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
            hint=f"Give the block of a receipt. A request can wait for at most {MAX_AHEAD:,} blocks.",
        )
    if not await watch_of(node).reached(height, WAIT_SECONDS):
        present = (await read(node, node.index.cursor)).height
        raise Refused(
            UNAVAILABLE,
            f"The index is at block {present} and did not reach block {height} in time.",
            headers={"Retry-After": "5"},
        )
