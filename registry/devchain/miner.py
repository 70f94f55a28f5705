"""The thread that makes the blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Miner:
    """Calls a function repeatedly on a thread of its own.

    Args:
        step: Does the work and returns the seconds until the next call; None: wait until woken.
        stopped: Called if the thread ends unexpectedly.
    """

    def __init__(self, step: Callable[[], float | None], stopped: Callable[[], None]) -> None:
        self._step = step
        self._stopped = stopped
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="miner", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Wake the thread, because there is work."""
        self._wake.set()

    def close(self) -> None:
        """End the thread after the block in progress."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        delay: float | None = None
        try:
            while True:
                self._wake.wait(delay)
                self._wake.clear()
                if self._closing:
                    return
                delay = self._step()
        finally:
            if not self._closing:
                self._stopped()
