"""A thread that does one thing until it is told to stop, and is started again when it fails."""

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
    """Runs a task in a thread of its own. A failure is logged, shown, and followed by a new start.

    Args:
        name: What the logs call it.
        task: What it does until the event is set; returning before counts as a failure.
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
        """Why it failed lately, as a sentence; empty when it has been running since for a while."""
        return self._fault if time.monotonic() < self._fault_until else ""

    def start(self) -> None:
        """Starts it."""
        self._thread.start()

    def stop(self) -> None:
        """Tells it to finish the step it is at, without waiting for that."""
        self._stop.set()

    def join(self) -> None:
        """Waits until it has finished."""
        if self._thread.ident is not None:
            self._thread.join()

    def _supervise(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            started = time.monotonic()
            # The future holds whatever the task raised: nothing that fails here may fail silently.
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
