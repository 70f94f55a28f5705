"""A gate before anvil that is closed during reorganisations.

A real node changes its chain atomically: no request sees an intermediate state. anvil 1.7.1 answers during the change,
and a request for a receipt in a block that is being removed makes it crash.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

PAUSE = 0.005
"""Seconds between two attempts to enter."""


class Gate:
    """A gate for many users at once. Closing it waits until all have left and keeps others out."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._within = 0
        self._is_closed = False

    @asynccontextmanager
    async def within(self) -> AsyncIterator[None]:
        """Enter the gate from a coroutine, without blocking its thread."""
        while not self._enter():
            await asyncio.sleep(PAUSE)
        try:
            yield
        finally:
            with self._changed:
                self._within -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Close the gate, from the only thread that does so."""
        with self._changed:
            self._is_closed = True
            self._changed.wait_for(lambda: self._within == 0)
        try:
            yield
        finally:
            with self._changed:
                self._is_closed = False

    def _enter(self) -> bool:
        with self._changed:
            self._within += not self._is_closed
            return not self._is_closed
