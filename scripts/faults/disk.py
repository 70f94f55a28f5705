"""A node in a separate process, whose writes to its database files can be made to fail by strace."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from api.server import serve
from registry.base.errors import RegistryError
from registry.config import Settings

CALLS: Final = "pwrite64,write,fdatasync,fsync,ftruncate,fallocate"
DATABASES: Final = ("registry.db", "chain/chain.sqlite3")
FILES: Final = ("", "-wal", "-shm", "-journal")
SECONDS: Final = 300.0
INJECTED: Final = "(INJECTED)"
PR_SET_PTRACER: Final = 0x59616D61
ANYBODY: Final = ctypes.c_ulong(-1)

# Children are forked from a process that has imported everything: a node then starts in a tenth of the time.
_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["scripts.faults.disk"])


class DiskNode:
    """A whole node with an embedded chain.

    Args:
        folder: Its data folder.
        log: The file to which its log is appended.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._pipe, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_serve, args=(folder, log, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._await_word()  # Before that, it might not be traced.

    def start(self) -> str | None:
        """Start the process; return its URL once it answers, or None if it has ended instead.

        Raises:
            TimeoutError: It does neither.
        """
        self._pipe.send("go")
        try:
            return self._await_word()
        except EOFError:
            self._process.join(SECONDS)
            return None

    def _await_word(self) -> str:
        if not self._pipe.poll(SECONDS):
            raise TimeoutError("The node neither answers nor ends.")
        word: str = self._pipe.recv()
        return word

    def stop(self) -> int | None:
        """Send SIGTERM; return the exit code, or None if it does not end."""
        self._process.terminate()
        self._process.join(SECONDS)
        code = self._process.exitcode
        self._process.kill()
        return code

    @contextmanager
    def faults(self, error: str, when: str) -> Iterator[Faults]:
        """Make writes and syncs of the node's database files fail within this context.

        Args:
            error: ``EIO`` or ``ENOSPC``.
            when: The calls that fail, counted in each thread from now: ``7`` for the seventh, ``7+`` for all from it
                on.

        Raises:
            SystemExit: strace is missing or not allowed to trace.
        """
        program = shutil.which("strace")
        if program is None:
            raise SystemExit("strace is needed to make writes fail. Install it: apt-get install strace")
        report = self._folder.with_suffix(".strace")
        files = [self._folder / f"{database}{end}" for database in DATABASES for end in FILES]
        folders = [self._folder, self._folder / "chain"]
        command = [program, "-f", "-o", str(report), "-p", str(self._process.pid)]
        for path in (*folders, *files):
            command += ["-P", str(path)]
        command += ["-e", "signal=none", "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:error={error}:when={when}"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as strace:
            try:
                self._await_tracer(strace)
                yield Faults(report)
            finally:
                strace.terminate()
                strace.wait()

    def _await_tracer(self, strace: subprocess.Popen[bytes]) -> None:
        status = Path(f"/proc/{self._process.pid}/status")
        while "TracerPid:\t0\n" in status.read_text():
            if strace.poll() is not None and strace.stderr is not None:
                told = strace.stderr.read().decode(errors="replace").strip()
                raise SystemExit(f"strace may not follow a process here: {told}")
            time.sleep(0.01)


class Faults:
    """The faults that have occurred.

    Args:
        report: strace's output.
    """

    def __init__(self, report: Path) -> None:
        self._report = report

    @property
    def count(self) -> int:
        """The number of failed calls."""
        return self._report.read_text(errors="replace").count(INJECTED)


def _serve(folder: Path, log: Path, pipe: Connection) -> None:
    """Run the node in the child process."""
    with log.open("ab", buffering=0) as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    # Allow tracing also where a process may trace only its descendants (Yama).
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    pipe.send("ready")
    pipe.recv()
    settings = Settings.model_validate({"data": folder, "port": 0, "poll_seconds": 0.1})
    try:
        serve(settings, started=lambda _, url: pipe.send(url))
    except RegistryError as error:
        sys.exit(f"refused to start: {error}")
