"""A thread that runs one task until it is stopped, and restarts it after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from registry.base.errors import RegistryError

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0

log = structlog.get_logger(__name__)


class Worker:
    """A worker that runs a task in its own thread. A failure is logged and reported, and the task is restarted.

    Args:
        name: Its name in the logs.
        task: The task, which runs until the event is set; returning earlier counts as a failure.
    """

    def __init__(self, name: str, task: Callable[[threading.Event], None]) -> None:
        self.name = name
        self._task = task
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name=name)
        self.restarts = 0
        self._fault = ""
        self._fault_until = 0.0  # time.monotonic()

    @property
    def fault(self) -> str:
        """Return the recent failure as a sentence; empty once it has run for a while since."""
        return self._fault if time.monotonic() < self._fault_until else ""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Request it to stop after its current step, without waiting."""
        self._stop.set()

    def join(self) -> None:
        """Wait until it has finished."""
        if self._thread.ident is not None:
            self._thread.join()

    def _supervise(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            started = time.monotonic()
            # The future keeps any exception of the task, so that no failure is silent.
            with ThreadPoolExecutor(1, self.name) as executor:
                error = executor.submit(self._task, self._stop).exception()
            if self._stop.is_set() and error is None:
                return
            if time.monotonic() - started > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            self._note(error, pause)
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _note(self, error: BaseException | None, pause: float) -> None:
        self.restarts += 1
        is_known = isinstance(error, RegistryError)
        self._fault = f"The {self.name} failed: {error if is_known else type(error).__name__}."
        self._fault_until = time.monotonic() + 3 * pause
        log.error(
            "worker failed", worker=self.name, reason=str(error), pause=pause, exc_info=None if is_known else error
        )
