"""A gate before anvil that is closed while blocks are taken back.

A real node changes its chain at once: no question sees a half of it. anvil 1.7.1 answers meanwhile, and a question for
a receipt in a block that is just going makes it crash.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

PAUSE = 0.005
"""Seconds between two tries to get through."""


class Gate:
    """Many may be within at once; who closes it waits until they have left, and meanwhile nobody enters."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._within = 0
        self._is_closed = False

    @asynccontextmanager
    async def within(self) -> AsyncIterator[None]:
        """For a coroutine, which waits without holding up others of its thread."""
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
        """For the one thread that closes it."""
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
