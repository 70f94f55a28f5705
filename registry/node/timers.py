"""Fire timers in a node."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from registry.base.errors import Unavailable
from registry.index.state import Cursor, find_cursor, lock_cursor
from registry.rooms.room import Rooms
from registry.storage import Storage
from registry.timers.schedule import fire_due, has_due

BATCH: Final = 100
"""The most timers in one transaction, during which the index waits."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TimerWorker:
    """A worker that fires due timers. The current time is the clock's, or that of the index's block if it is later.

    All answers about access use the same time. While the index is behind the chain, a block that it has not read
    may still cancel a timer; only the time of its block counts then.

    Args:
        storage: The database.
        rooms: The rooms, whose handlers are called.
        is_behind: Return whether the index is behind the chain.
        clock: Return the Unix time in seconds.
        interval: Seconds between two checks.
    """

    storage: Storage
    rooms: Rooms
    is_behind: Callable[[], bool]
    clock: Callable[[], float]
    interval: float

    def run(self, stop: threading.Event) -> None:
        """Fire timers until the event is set. While the database cannot be used, wait."""
        while not stop.is_set():
            try:
                while self.step() and not stop.is_set():
                    pass
            except Unavailable as error:
                log.warning("timers wait", reason=str(error))
            stop.wait(self.interval)

    def step(self) -> bool:
        """Fire one batch; return whether there may be more.

        Raises:
            Unavailable: The database cannot be used.
        """
        with self.storage.read() as connection:
            cursor = find_cursor(connection)
            if cursor is None or not has_due(connection, self.rooms.timers, self._now(cursor)):
                return False
        with self.storage.write() as connection:
            # The index does not change meanwhile: a handler reads its tables and writes the outbox.
            cursor = lock_cursor(connection)
            if cursor is None:
                return False
            return fire_due(connection, self.rooms.timers, self._now(cursor), BATCH) == BATCH

    def _now(self, cursor: Cursor) -> int:
        return cursor.block_time if self.is_behind() else max(int(self.clock()), cursor.block_time)
