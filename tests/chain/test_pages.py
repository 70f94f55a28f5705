"""Reading in pages: under any limit of a node, each block is read once, in order, in few requests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.chain.client import LIMIT_EXCEEDED, METHOD_NOT_FOUND, RpcError
from registry.chain.pages import LARGEST_PAGE, read_in_pages

Refuses = Callable[[int, int], bool]


class LimitedRange:
    """Blocks that hold some items each, read from a node that refuses some requests.

    Args:
        items: The number of items by height.
        refuses: Says of a first and a last height whether the node refuses them.
        code: The code of its refusals.
    """

    def __init__(self, items: dict[int, int], refuses: Refuses, code: int = LIMIT_EXCEEDED) -> None:
        self.items = items
        self.refuses = refuses
        self.code = code
        self.requests: list[tuple[int, int]] = []

    def read(self, first: int, last: int) -> list[tuple[int, int]]:
        self.requests.append((first, last))
        if self.refuses(first, last):
            raise RpcError(self.code, "no two nodes say it alike")
        return self.all(first, last)

    def all(self, first: int, last: int) -> list[tuple[int, int]]:
        return [
            (height, n) for height in sorted(self.items) if first <= height <= last for n in range(self.items[height])
        ]

    def within(self, first: int, last: int) -> int:
        return len(self.all(first, last))


@given(
    first=st.integers(0, 50),
    span=st.integers(-1, 400),
    items=st.dictionaries(st.integers(0, 460), st.integers(1, 5), max_size=40),
    most_blocks=st.integers(1, 500),
    most_items=st.integers(5, 60),
)
def test_each_block_is_read_once_and_in_order_whatever_the_node_limits(
    first: int, span: int, items: dict[int, int], most_blocks: int, most_items: int
) -> None:
    node = LimitedRange(items, lambda a, b: b - a + 1 > most_blocks or node.within(a, b) > most_items)
    last = first + span
    assert read_in_pages(first, last, node.read) == node.all(first, last)


def test_a_limit_of_blocks_costs_few_requests_more_than_it_must() -> None:
    """A chain of 300,000 blocks needs at least 150 requests to a node that gives 2,000 at a time."""
    node = LimitedRange({7: 1, 299_999: 1}, lambda first, last: last - first + 1 > 2_000)
    assert read_in_pages(0, 299_999, node.read) == [(7, 0), (299_999, 0)]
    assert len(node.requests) < 2.6 * 150


def test_pages_grow_again_behind_a_dense_stretch() -> None:
    node = LimitedRange(dict.fromkeys(range(100, 200), 1), lambda first, last: node.within(first, last) > 3)
    assert len(read_in_pages(0, 10 * LARGEST_PAGE, node.read)) == 100
    assert len(node.requests) < 300


def test_a_request_spans_at_most_the_largest_page() -> None:
    node = LimitedRange({}, lambda first, last: False)
    read_in_pages(5, 5 + 3 * LARGEST_PAGE, node.read)
    assert node.requests == [
        (5 + n * LARGEST_PAGE, min(4 + (n + 1) * LARGEST_PAGE, 5 + 3 * LARGEST_PAGE)) for n in range(4)
    ]


def test_a_real_refusal_comes_through_after_the_logarithm_of_a_page() -> None:
    node = LimitedRange({}, lambda first, last: True)
    with pytest.raises(RpcError, match="alike"):
        read_in_pages(0, 10 * LARGEST_PAGE, node.read)
    assert len(node.requests) == LARGEST_PAGE.bit_length()


def test_a_method_that_is_missing_is_asked_for_once() -> None:
    node = LimitedRange({}, lambda first, last: True, METHOD_NOT_FOUND)
    with pytest.raises(RpcError, match="alike"):
        read_in_pages(0, 1_000, node.read)
    assert len(node.requests) == 1
