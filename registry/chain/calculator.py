"""The process that `registry.chain.apart` starts: it reads the embedded chain's file and answers what is asked.

python -m registry.chain.calculator DESCRIPTOR FOLDER NICENESS        not for people
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import orjson

from registry.allocator import keep_memory_small
from registry.chain.apart import FAILURE, NOBODY_WAITS, READY, RESULT
from registry.chain.budget import Budget, limited
from registry.chain.client import SERVER_ERROR, RpcError
from registry.chain.embedded import EmbeddedChain
from registry.errors import RegistryError

TICK_SECONDS: Final = 0.05
"""How often a budget is looked at, whatever is being computed."""


def serve(connection: Connection[Any, Any], chain: EmbeddedChain) -> None:
    """Answer requests.

    Raises:
        EOFError, OSError: The other end of the pipe is closed.
    """
    connection.send_bytes(READY)
    while True:
        message = connection.recv_bytes()
        if message == NOBODY_WAITS:
            continue  # It came when the answer was there already.
        seconds, blocks, count, calls = orjson.loads(message)
        limits = Budget(seconds, blocks, count, is_abandoned=connection.poll)
        with limited(limits):
            for method, parameters in calls:
                connection.send_bytes(_frame(chain, limits, method, parameters))


def _frame(chain: EmbeddedChain, limits: Budget, method: str, parameters: Sequence[object]) -> bytes:
    try:
        limits.check()
        with _watched(limits):
            answer = orjson.dumps(chain.request(method, parameters))
        limits.take_bytes(len(answer))
        return RESULT + answer
    except RpcError as error:
        return FAILURE + orjson.dumps([error.code, error.message, error.data])
    except RegistryError as error:
        return FAILURE + orjson.dumps([SERVER_ERROR, error.message, None])


@contextlib.contextmanager
def _watched(limits: Budget) -> Iterator[None]:
    """Look at a budget again and again while something is computed: a precompile in Python looks at nothing itself.

    The signal is repeated, for what raises an error in a finalizer raises it to nobody.
    """
    signal.signal(signal.SIGALRM, lambda *_: limits.check())
    signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Serve the pipe that the node has opened, until it is closed."""
    descriptor, folder, niceness = sys.argv[1:]
    os.nice(int(niceness))
    keep_memory_small()
    with contextlib.closing(EmbeddedChain.read_only(Path(folder))) as chain, contextlib.suppress(EOFError, OSError):
        serve(Connection(int(descriptor)), chain)


if __name__ == "__main__":
    main()
