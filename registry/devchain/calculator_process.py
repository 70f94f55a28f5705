"""Run untrusted computations on the embedded chain in a process of its own.

A contract call keeps Python's interpreter busy for seconds, and everything else in the process then waits repeatedly.
So such calls run in a separate interpreter (`registry.devchain.calculator`) at a lower priority. It reads the chain's
file and writes nothing; it does not see pending transactions. Unlike a thread, a process can be killed, so every call
ends in time.

On the pipe between them, a request is JSON with the budget and the calls. The answer is one frame for each call: R with
the result as JSON, E with an error, or L with an error caused by the time limit. An empty message says that the client
has gone. The process ends when the pipe is closed, also if the node was killed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Sequence
from enum import StrEnum
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import orjson

from registry.chain.client import SERVER_ERROR, RpcError
from registry.devchain.budget import Budget, OverBudget

START_SECONDS: Final = 60.0
"""How long a new process may take until it is ready."""
GRACE_SECONDS: Final = 2.0
"""How long after the end of a budget the process may still answer: a long step of a C library cannot be interrupted."""
POLL_SECONDS: Final = 0.25
"""The interval at which it is checked whether the client still waits."""
PROGRAM: Final = "registry.devchain.calculator"
RESULT: Final = b"R"
FAILURE: Final = b"E"
LATE: Final = b"L"
ABANDONED: Final = b""
READY: Final = b""
"""The first message of a new process."""


class Lane(StrEnum):
    """The two queues for requests, by how long they compute.

    A request runs in the quick lane first and moves to the slow one if that is not enough, so that short requests do
    not wait behind long ones.
    """

    QUICK = "quick"
    SLOW = "slow"


NICENESS: Final = {Lane.QUICK: 5, Lane.SLOW: 15}
"""The node's own process, which makes the blocks, has the highest priority, then the quick lane."""


class CalculatorProcess:
    """The node's handle on the process. The first request starts it; a later one restarts it after it has ended.

    Args:
        folder: The chain's folder.
        lane: The requests it serves.
    """

    def __init__(self, folder: Path, lane: Lane) -> None:
        self._folder = folder
        self._niceness = str(NICENESS[lane])
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._is_closed = False

    def prepare(self) -> None:
        """Start the process if it is not running, so that no request's time is spent on it."""
        with self._lock, contextlib.suppress(EOFError, OSError):
            self._connected()

    def answers(
        self, calls: Sequence[tuple[str, Sequence[object]]], limits: Budget
    ) -> Generator[bytes | RpcError, None, None]:
        """Yield the answers to calls in order, each as JSON or as an error. One request at a time is processed.

        Args:
            calls: Methods with their parameters, in JSON form.
            limits: The budget of all calls together. Afterwards it states whether the time ran out.
        """
        request = orjson.dumps([limits.seconds, limits.blocks, limits.bytes, calls])
        with self._lock:
            answered = 0
            try:
                connection = self._connected()
                until = time.monotonic() + limits.seconds_left + GRACE_SECONDS
                connection.send_bytes(request)
                for _ in calls:
                    answer = _next_frame(connection, until, limits)
                    answered += answer is not None
                    yield _over(limits) if answer is None else _read(answer, limits)
            except (EOFError, OSError):
                yield from [_over(limits)] * len(calls)
            finally:
                # Answers that were not read must not reach the next request.
                if answered < len(calls):
                    self._end()

    def close(self) -> None:
        """End the process for good. A request in progress gets no answer."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()

    def _connected(self) -> Connection[Any, Any]:
        """Return the pipe to a running process; start one if needed.

        Raises:
            EOFError, OSError: The process could not be started, or this object is closed.
        """
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self._end()
        if self._is_closed:
            raise EOFError
        ours, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - no argument is user input
                # -P: a folder named `registry` in the current directory must not be imported.
                [sys.executable, "-P", "-m", PROGRAM, str(descriptor), self._folder, self._niceness],
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if not name.startswith("TDR_")},
                start_new_session=True,  # Ctrl-C must reach only the node, which ends this process in order.
            )
        self._connection = ours
        if not ours.poll(START_SECONDS):
            self._end()  # Its late first message would be taken for an answer.
            raise TimeoutError
        ours.recv_bytes()
        return ours

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _next_frame(connection: Connection[Any, Any], until: float, limits: Budget) -> bytes | None:
    """Return the next frame; None if none arrives in time or the process has ended."""
    is_notified = False
    try:
        while not connection.poll(min(POLL_SECONDS, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until:
                return None
            if not is_notified and limits.is_abandoned():
                connection.send_bytes(ABANDONED)
                is_notified = True
        return connection.recv_bytes()
    except (EOFError, OSError):
        return None


def _over(limits: Budget) -> RpcError:
    try:
        limits.check()
    except OverBudget as error:
        return error
    return RpcError(SERVER_ERROR, "the computation ended without a result; retry, or request less at a time")


def _read(frame: bytes, limits: Budget) -> bytes | RpcError:
    kind, content = frame[:1], frame[1:]
    limits.is_out_of_time |= kind == LATE
    return content if kind == RESULT else RpcError(*orjson.loads(content))
