"""The thread that makes blocks of what waits."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Miner:
    """Calls a function again and again on a thread of its own.

    Args:
        step: Does what is to be done, and returns after how many seconds it wants to be called again; None: when woken.
        stopped: Called if the thread ends without having been asked to.
    """

    def __init__(self, step: Callable[[], float | None], stopped: Callable[[], None]) -> None:
        self._step = step
        self._stopped = stopped
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="miner", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def close(self) -> None:
        """Ends the thread after the block it is making, if it is making one."""
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
