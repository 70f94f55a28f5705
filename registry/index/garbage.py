"""Sparing the garbage collector while many events are read.

A span of blocks becomes some hundred thousand values that live until it is stored. There are no cycles among them, but
at Python's usual thresholds the collector walks all of them again and again: a third of the time of a catch-up.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ALLOCATIONS: Final = 200_000
"""Objects that may be made, beyond those that have gone again, before the collector looks for cycles among them."""


@contextmanager
def spared_collector() -> Iterator[None]:
    """Collect garbage rarely within this context, and restore the previous settings afterwards."""
    before = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
