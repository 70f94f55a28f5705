"""The process that `registry.chain.apart` starts: it reads the embedded chain's file and answers what is asked.

python -m registry.chain.calculator DESCRIPTOR FOLDER        not for people
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import orjson

from registry.chain.apart import FAILURE, NOBODY_WAITS, READY, RESULT
from registry.chain.budget import Budget, limited
from registry.chain.client import SERVER_ERROR, RpcError
from registry.chain.embedded import EmbeddedChain
from registry.errors import RegistryError

NICENESS: Final = 10
"""Honest writes come first: they are made by the node's own process."""


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
        answer = orjson.dumps(chain.request(method, parameters))
        limits.take_bytes(len(answer))
        return RESULT + answer
    except RpcError as error:
        return FAILURE + orjson.dumps([error.code, error.message, error.data])
    except RegistryError as error:
        return FAILURE + orjson.dumps([SERVER_ERROR, error.message, None])


def main() -> None:
    """Serve the pipe that the node has opened, until it is closed."""
    os.nice(NICENESS)
    descriptor, folder = sys.argv[1:]
    with contextlib.closing(EmbeddedChain.read_only(Path(folder))) as chain, contextlib.suppress(EOFError, OSError):
        serve(Connection(int(descriptor)), chain)


if __name__ == "__main__":
    main()
