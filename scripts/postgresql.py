"""A PostgreSQL server for tests and benchmarks, in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg

_NUMBERS = count(1)


class PostgreSQLServer:
    """A cluster in a temporary folder, reached through a Unix socket in it.

    Args:
        fsync: Whether each commit waits for the disk. Tests kill processes and not the machine, so they do not need it.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._fsync = "on" if fsync else "off"
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="tdr-postgresql-"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL does not run as root.
            shutil.chown(self._folder, "postgres", "postgres")
            self._as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        self._run(
            "initdb", "--pgdata", str(self._data), "--username=tdr", "--auth=trust", "--no-sync", "--encoding=UTF8"
        )
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c fsync={self._fsync}"
        self._run(
            "pg_ctl", "--pgdata", str(self._data), "--log", str(self._folder / "log"), "-w", "-o", options, "start"
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server. The mode "immediate" is a crash: nothing more is written."""
        self._run("pg_ctl", "--pgdata", str(self._data), "-m", mode, "-w", "stop")

    def crash(self) -> None:
        """Kill the server and all its children with SIGKILL; it remains stopped until `start`."""
        lock = self._data / "postmaster.pid"
        postmaster = int(lock.read_text().split()[0])
        processes = [postmaster, *_children(postmaster)]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(_is_running(process) for process in processes):
            time.sleep(0.01)
        # Until the dead process is reaped, its process id looks alive to the next server.
        for file in (lock, *self._folder.glob(".s.PGSQL.*.lock")):
            file.unlink()

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://tdr@/{database}?host={self._folder}"

    def create(self, template: str = "template0") -> str:
        """Create a database and return its URL."""
        name = f"tdr_{next(_NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        with contextlib.suppress(subprocess.CalledProcessError):  # It may not be running.
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, self._programs / program, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
        )


def _stat(process: int) -> list[str]:
    """Return the state, parent and other fields of a process; empty if there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _children(parent: int) -> list[int]:
    numbers = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [number for number in numbers if _stat(number)[1:2] == [str(parent)]]


def _is_running(process: int) -> bool:
    return _stat(process)[:1] not in ([], ["Z"])


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(path) for path in [shutil.which("initdb")] if path
    ]
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed. Install it: apt-get install postgresql")
    return found[-1].parent
