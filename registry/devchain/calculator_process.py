"""A process beside the node's that computes what strangers ask of the embedded chain, as the node sees it.

A call of a contract keeps Python's interpreter busy for seconds, and all else that a process does then waits for its
turn, again and again. So such calls have an interpreter of their own (`registry.devchain.calculator`), at a lower
priority. It reads the chain's file and writes nothing; what waits for a block it does not see. And a process can be
ended, which a thread cannot: whatever a call does, it ends in time.

On the pipe between them, a request is JSON with the budget and the calls; the answer is a frame for each call, R with
the result as JSON, E with the error, or L with the error where the time was too short. An empty message says that
nobody waits any more. The end of the pipe ends the process, also where the node was killed.
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
"""How long a new process may take until it listens."""
GRACE_SECONDS: Final = 2.0
"""How long after the end of a budget the process may still answer: one long step of a C library cannot be stopped."""
POLL_SECONDS: Final = 0.25
"""How often it is looked whether somebody still waits."""
PROGRAM: Final = "registry.devchain.calculator"
RESULT: Final = b"R"
FAILURE: Final = b"E"
LATE: Final = b"L"
ABANDONED: Final = b""
READY: Final = b""
"""The first message of a new process."""


class Lane(StrEnum):
    """Where a request is computed: first where nobody computes for long, and then, if that is not enough, with others
    that take long. So who asks for little does not wait behind who asks for much.
    """

    QUICK = "quick"
    SLOW = "slow"


NICENESS: Final = {Lane.QUICK: 5, Lane.SLOW: 15}
"""Honest writes come first, which the node's own process makes; then who asks for little."""


class CalculatorProcess:
    """The process as the node sees it. It is started by the first request, and again after it was ended.

    Args:
        folder: Where the chain lies.
        lane: Which requests it is for.
    """

    def __init__(self, folder: Path, lane: Lane) -> None:
        self._folder = folder
        self._niceness = str(NICENESS[lane])
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._is_closed = False

    def prepare(self) -> None:
        """Start the process, if it does not run: the time that this takes is no request's own."""
        with self._lock, contextlib.suppress(EOFError, OSError):
            self._connected()

    def answers(
        self, calls: Sequence[tuple[str, Sequence[object]]], limits: Budget
    ) -> Generator[bytes | RpcError, None, None]:
        """Answer calls in order, each as JSON or with its error. One request at a time is worked on.

        Args:
            calls: Methods with their parameters, which are as JSON has them.
            limits: What all of them may take; where it has an end, so have they. It tells afterwards whether the time
                was too short.
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
                # Whoever stops listening, or is told no more, leaves no answers behind for others to find.
                if answered < len(calls):
                    self._end()

    def close(self) -> None:
        """End the process, if there is one, for good; a request that is being worked on has no answer."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()

    def _connected(self) -> Connection[Any, Any]:
        """Return the pipe to a process that listens.

        Raises:
            EOFError, OSError: There is none, and none can be started, or none may be any more.
        """
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self._end()
        if self._is_closed:
            raise EOFError
        ours, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
                # -P: a folder named as ours, where the node was started, is not taken for it.
                [sys.executable, "-P", "-m", PROGRAM, str(descriptor), self._folder, self._niceness],
                pass_fds=[descriptor],
                stdin=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if not name.startswith("TDR_")},
                start_new_session=True,  # Ctrl-C is for the node, which ends it in order.
            )
        self._connection = ours
        if not ours.poll(START_SECONDS):
            self._end()  # Its first message would be taken for an answer.
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
    """Return the next frame; None where none comes in time, or the process has ended."""
    is_told = False
    try:
        while not connection.poll(min(POLL_SECONDS, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until:
                return None
            if not is_told and limits.is_abandoned():
                connection.send_bytes(ABANDONED)
                is_told = True
        return connection.recv_bytes()
    except (EOFError, OSError):
        return None


def _over(limits: Budget) -> RpcError:
    try:
        limits.check()
    except OverBudget as error:
        return error
    return RpcError(SERVER_ERROR, "the computation ended without an answer; ask again, or for less at a time")


def _read(frame: bytes, limits: Budget) -> bytes | RpcError:
    kind, content = frame[:1], frame[1:]
    limits.is_out_of_time |= kind == LATE
    return content if kind == RESULT else RpcError(*orjson.loads(content))
