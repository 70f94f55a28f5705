"""What one request of a stranger may take of the embedded chain: time, memory, blocks looked through, bytes answered.

The node's own reads have no budget. A request to /rpc sets one for the thread that answers it, and so does the
rehearsal of a message. The loops of the chain look at it: what a thread does cannot be stopped from outside.
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
"""Bytes that all frames of a request's calls may be given: each is kept until its call ends."""
_SMALLER = "ask for less at a time: fewer blocks, fewer calls, or a call that runs shorter"


class OverBudget(RpcError):
    """The budget of a request is used up.

    Args:
        message: What of it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(LIMIT_EXCEEDED, message)


@dataclass
class Budget:
    """A budget, and what is left of it.

    Args:
        seconds: How long the request may take.
        blocks: How many blocks it may look through for logs.
        bytes: How many bytes its answers may have.
        clock: Gives seconds from any beginning on.
        is_abandoned: Whether nobody waits for the answer any more.
        memory: How many bytes its calls may keep.
        least: How many seconds the process may compute for it, however long that takes beside what else is computed.
        is_out_of_time: Whether its time was too short.
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
        """How long the request may still take; not less than none."""
        return max(0.0, self._until - self.clock())

    def check(self) -> None:
        """Raise OverBudget where anything of the budget is used up, or nobody waits."""
        if self.is_abandoned():
            raise OverBudget("the client has gone")
        if self.blocks < 0 or self.bytes < 0:
            raise OverBudget(f"the request asks for too much: {_SMALLER}")
        if self.clock() > self._until and time.process_time() - self._computed >= self.least:
            self.is_out_of_time = True
            raise OverBudget(f"the request took more than {self.seconds:g} s: {_SMALLER}")

    def take_block(self) -> None:
        """Count a block that is looked at; raise OverBudget where it is one too many."""
        self.blocks -= 1
        if self.blocks < 0:
            raise OverBudget(f"the request covers too many blocks: {_SMALLER}")
        if not self.blocks % 256:
            self.check()

    def take_memory(self, count: int) -> None:
        """Count the bytes that a call keeps; raise OverBudget where they are too many."""
        self.memory -= count
        if self.memory < 0:
            raise OverBudget(f"the calls take too much memory: {_SMALLER}")

    def take_bytes(self, count: int) -> None:
        """Count the bytes of an answer; raise OverBudget where they are too many."""
        self.bytes -= count
        if self.bytes < 0:
            raise OverBudget(f"the answers have too many bytes: {_SMALLER}")


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def current() -> Budget | None:
    """Return the budget of the request that is being answered; None: it has none."""
    return _current.get()


@contextmanager
def limited(budget: Budget) -> Iterator[None]:
    """Give everything that is done within it a budget."""
    token = _current.set(budget)
    try:
        yield
    finally:
        _current.reset(token)
