"""Wait until a number is reached, such as the index's height. One task checks for all waiting requests."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Final

from api.deps import read
from registry.feed import entries
from registry.node import Node

PAUSE: Final = 0.05


class HeightWatch:
    """Wakes requests that wait for a growing number. It reads the number every `PAUSE` seconds while any wait.

    Args:
        node: The node, whose app runs in one event loop.
        look: Read the number from the node's database.
    """

    def __init__(self, node: Node, look: Callable[[Node], int]) -> None:
        self._look_at = look
        self._node = weakref.proxy(node)  # The node is the key of the map of watches.
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._task: asyncio.Task[None] | None = None
        self.looks = 0

    async def reached(self, height: int, seconds: float) -> bool:
        """Wait until a height is reached; return False if the time is up first.

        Raises:
            RegistryError: The database cannot be read.
        """
        arrived = asyncio.get_running_loop().create_future()
        self._waiting[arrived] = height
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                await arrived
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(arrived, None)
        return not self._node.is_stopping

    async def _look(self) -> None:
        while self._waiting:
            try:
                height = await read(self._node, lambda: self._look_at(self._node))
            except Exception as error:  # noqa: BLE001  Any error is passed to those that wait.
                self._end(error)
                return
            self.looks += 1
            for arrived, awaited in list(self._waiting.items()):
                if (awaited <= height or self._node.is_stopping) and not arrived.done():
                    arrived.set_result(None)
            await asyncio.sleep(PAUSE)

    def _end(self, error: Exception) -> None:
        for arrived in list(self._waiting):
            if not arrived.done():
                arrived.set_exception(error)


_watches: weakref.WeakKeyDictionary[Node, HeightWatch] = weakref.WeakKeyDictionary()
_entry_watches: weakref.WeakKeyDictionary[Node, HeightWatch] = weakref.WeakKeyDictionary()


def watch_of(node: Node) -> HeightWatch:
    """Return the only watch of a node's index."""
    return _watches.setdefault(node, HeightWatch(node, _height))


def entry_watch_of(node: Node) -> HeightWatch:
    """Return the only watch of the newest entry of a node's outbox."""
    return _entry_watches.setdefault(node, HeightWatch(node, _newest_entry))


def _height(node: Node) -> int:
    return node.index.cursor().height


def _newest_entry(node: Node) -> int:
    with node.storage.read() as connection:
        return entries.newest(connection)
