"""JSON of the gateway: hex for bytes, EIP-55 for addresses, ISO 8601 in UTC for times."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from registry.base.primitives import Address
from registry.base.times import iso_time
from registry.index.pages import EventPlace, Page, Snapshot
from registry.index.position import block_of, log_index_of
from registry.index.state import Cursor

Json = dict[str, Any]
Value = TypeVar("Value")


def hexed(value: bytes) -> str:
    """Return bytes as 0x-prefixed lower-case hex."""
    return "0x" + value.hex()


@lru_cache(maxsize=65_536)
def address(value: bytes) -> str:
    """Return an address with its EIP-55 checksum."""
    return str(Address(value))


def time_or_null(seconds: int | None) -> str | None:
    """Return Unix seconds as ISO 8601 in UTC; null for null."""
    return None if seconds is None else iso_time(seconds)


def place(at: EventPlace) -> Json:
    """Return the time and position of an event on the chain."""
    return {
        "blockNumber": block_of(at.position),
        "blockHash": hexed(at.block_hash),
        "time": iso_time(at.timestamp),
        "transactionHash": hexed(at.transaction_hash),
        "logIndex": log_index_of(at.position),
    }


def as_of(cursor: Cursor) -> Json:
    """Return the index's block of an answer."""
    return {
        "asOfBlock": cursor.height,
        "asOfBlockHash": hexed(cursor.block_hash),
        "finalBlock": cursor.final_height,
    }


def page(snapshot: Snapshot[Page[Value]], item: Callable[[Value], Json], rows: str = "items") -> Json:
    """Return a page of a list.

    Args:
        snapshot: The page and its block.
        item: Return a row.
        rows: The name of the list.
    """
    listed = [item(row) for row in snapshot.value.items]
    return {rows: listed, "next": snapshot.value.next} | as_of(snapshot.as_of)
