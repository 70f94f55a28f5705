"""Budgets for untrusted requests to the embedded chain: time, memory, blocks scanned, bytes returned.

The node's own reads have no budget. A request to /rpc sets one for its thread, and so does the simulation of a message.
The loops of the chain check it, because a thread cannot be stopped from outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from registry.chain.client import LIMIT_EXCEEDED, RpcError

MEMORY: Final = 64 * 2**20
"""The bytes that all frames of a request's calls may take together; each is kept until its call ends."""
_SMALLER = "request less at a time: fewer blocks, fewer calls, or a shorter call"


class OverBudget(RpcError):
    """The budget of a request is used up.

    Args:
        message: Which part of the budget.
    """

    def __init__(self, message: str) -> None:
        super().__init__(LIMIT_EXCEEDED, message)


@dataclass
class Budget:
    """A budget and what is left of it.

    Args:
        seconds: How long the request may take.
        blocks: How many blocks it may scan for logs.
        bytes: How many bytes its answers may have.
        clock: Returns monotonic seconds.
        is_abandoned: Returns whether the client has gone.
        memory: How many bytes its calls may keep.
        least: Seconds of CPU time that the request may always use, even if it takes longer on a busy machine.
        is_out_of_time: Whether the time ran out.
    """

    seconds: float
    blocks: int
    bytes: int
    clock: Callable[[], float] = time.monotonic
    is_abandoned: Callable[[], bool] = lambda: False
    memory: int = MEMORY
    least: float = 0.0
    is_out_of_time: bool = field(default=False, init=False)
    _until: float = field(init=False)
    _computed: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.seconds
        self._computed = time.process_time()

    @property
    def seconds_left(self) -> float:
        """Return how long the request may still take; at least 0."""
        return max(0.0, self._until - self.clock())

    def check(self) -> None:
        """Check that the budget is not used up and that the client still waits.

        Raises:
            OverBudget: It is used up, or the client has gone.
        """
        if self.is_abandoned():
            raise OverBudget("the client has gone")
        if self.blocks < 0 or self.bytes < 0:
            raise OverBudget(f"the request asks for too much: {_SMALLER}")
        if self.clock() > self._until and time.process_time() - self._computed >= self.least:
            self.is_out_of_time = True
            raise OverBudget(f"the request took more than {self.seconds:g} s: {_SMALLER}")

    def take_block(self) -> None:
        """Count a scanned block.

        Raises:
            OverBudget: There are too many.
        """
        self.blocks -= 1
        if self.blocks < 0:
            raise OverBudget(f"the request covers too many blocks: {_SMALLER}")
        if not self.blocks % 256:
            self.check()

    def take_memory(self, count: int) -> None:
        """Count the bytes that a call keeps.

        Raises:
            OverBudget: There are too many.
        """
        self.memory -= count
        if self.memory < 0:
            raise OverBudget(f"the calls take too much memory: {_SMALLER}")

    def take_bytes(self, count: int) -> None:
        """Count the bytes of an answer.

        Raises:
            OverBudget: There are too many.
        """
        self.bytes -= count
        if self.bytes < 0:
            raise OverBudget(f"the answers have too many bytes: {_SMALLER}")


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def current() -> Budget | None:
    """Return the budget of the request in progress; None if it has none."""
    return _current.get()


@contextmanager
def limited(budget: Budget) -> Iterator[None]:
    """Apply a budget to everything within the `with` block."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)
