"""Read a range of blocks in pages, from nodes that limit requests in different ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from registry.chain.client import METHOD_NOT_FOUND, RpcError

T = TypeVar("T")

LARGEST_PAGE: Final = 100_000
_BEFORE_GROWTH: Final = 4


def read_in_pages(first: int, last: int, read: Callable[[int, int], list[T]]) -> list[T]:
    """Return the items of a range of blocks, requesting fewer blocks at a time where a node refuses.

    Nodes limit the blocks, results, bytes or time of a request, each with its own error text. So every refusal counts
    as such a limit until a single block is refused. A real refusal then costs the logarithm of the page size, and no
    list of error texts needs maintenance.

    Args:
        first: The first height.
        last: The last height (inclusive).
        read: Reads the blocks from one height to another (inclusive).

    Raises:
        RpcError: The node refused a single block, or does not have the method.
    """
    items: list[T] = []
    size, in_a_row = min(LARGEST_PAGE, max(last - first + 1, 1)), 0
    while first <= last:
        end = min(first + size - 1, last)
        try:
            items += read(first, end)
        except RpcError as error:
            if end == first or error.code == METHOD_NOT_FOUND:
                raise
            size, in_a_row = (end - first + 1) // 2, 0
            continue
        first, in_a_row = end + 1, in_a_row + 1
        if (
            in_a_row == _BEFORE_GROWTH
        ):  # A dense range may have ended; under a fixed limit, the attempt costs one request in five.
            size, in_a_row = min(2 * size, LARGEST_PAGE), 0
    return items
