"""Cut long lists of values into pieces that databases take in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Final, TypeVar

CHUNK: Final = 1000

Item = TypeVar("Item")


def chunks(items: Collection[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """Yield the items in lists of at most `size`, in their order; no list if there are no items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
