"""Serve untrusted calls on the embedded chain's file, in the process that `CalculatorProcess` starts.

python -m registry.devchain.calculator DESCRIPTOR FOLDER NICENESS        for internal use only
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import orjson

from registry.base.allocator import keep_memory_small
from registry.base.errors import RegistryError
from registry.chain.client import LIMIT_EXCEEDED, SERVER_ERROR, RpcError
from registry.devchain.budget import Budget, limited
from registry.devchain.calculator_process import ABANDONED, FAILURE, LATE, READY, RESULT
from registry.devchain.embedded import EmbeddedChain

TICK_SECONDS: Final = 0.05
"""The interval at which the budget is checked, whatever is being computed."""
LEAST_SECONDS: Final = 0.05
"""CPU time that each request may use: on a busy machine a small request must not fail."""
ADDRESS_SPACE: Final = 2**29
"""The bytes of address space of the process: a second limit besides the budget's memory."""


class BudgetTimer:
    """A timer whose signal checks the budget repeatedly, because a precompile in Python does not check it.

    The signal repeats, because an error raised in a finalizer is lost.
    """

    def __init__(self) -> None:
        self._limits: Budget | None = None
        signal.signal(signal.SIGALRM, self._look)

    @contextlib.contextmanager
    def over(self, limits: Budget) -> Iterator[None]:
        """Raise OverBudget in the `with` block as soon as the budget is used up or the client has gone.

        Args:
            limits: The budget.
        """
        try:
            self._limits = limits
            signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
            yield
        finally:
            self.rest()

    def rest(self) -> None:
        """Stop checking, whatever was interrupted."""
        self._limits = None  # First, so that a signal in flight raises nothing.
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, *_: object) -> None:
        if self._limits is not None:
            self._limits.check()


def serve(connection: Connection[Any, Any], chain: EmbeddedChain) -> None:
    """Answer requests.

    Args:
        connection: The pipe to the node.
        chain: The chain, opened read-only.

    Raises:
        EOFError, OSError: The other end of the pipe is closed.
    """
    timer = BudgetTimer()
    connection.send_bytes(READY)
    while True:
        timer.rest()
        message = connection.recv_bytes()
        if message == ABANDONED:
            continue  # The request arrived after the answer.
        seconds, blocks, count, calls = orjson.loads(message)
        limits = Budget(seconds, blocks, count, is_abandoned=connection.poll, least=LEAST_SECONDS)
        with limited(limits):
            for method, parameters in calls:
                connection.send_bytes(_frame(chain, timer, limits, method, parameters))


def _frame(
    chain: EmbeddedChain, timer: BudgetTimer, limits: Budget, method: str, parameters: Sequence[object]
) -> bytes:
    try:
        limits.check()
        with timer.over(limits):
            answer = orjson.dumps(chain.request(method, parameters))
        # Check again: an interrupted library may have turned the error into a result, such as an invalid signature.
        limits.check()
        limits.take_bytes(len(answer))
        return RESULT + answer
    except RpcError as error:
        return (LATE if limits.is_out_of_time else FAILURE) + orjson.dumps([error.code, error.message, error.data])
    except RegistryError as error:
        return FAILURE + orjson.dumps([SERVER_ERROR, error.message, None])
    except MemoryError:
        return FAILURE + orjson.dumps([LIMIT_EXCEEDED, "the call takes too much memory", None])


def _give_way() -> None:
    """Limit this process's memory, and make it the first to be killed when the system runs out of memory."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def main() -> None:
    """Serve the pipe that the node has opened, until it is closed."""
    descriptor, folder, niceness = sys.argv[1:]
    os.nice(int(niceness))
    keep_memory_small()
    _give_way()
    with contextlib.closing(EmbeddedChain.read_only(Path(folder))) as chain, contextlib.suppress(EOFError, OSError):
        serve(Connection(int(descriptor)), chain)


if __name__ == "__main__":
    main()
