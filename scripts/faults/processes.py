"""Node processes that are killed and restarted many times per minute.

Each is a separate process that does the same as `tdr up` from the opening of its data folder on. It is forked from a
process that has imported the modules. This saves two seconds per start in which a kill would not test anything.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from api import server
from registry.config import load
from registry.index.check import check
from registry.node import Node, Role
from scripts.faults.ports import free_port

SECONDS_TO_STOP = 30.0
LINES_SHOWN = 40
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["scripts.faults.cell"])


class NodeProcess:
    """A node, or one of its parts.

    Args:
        data: Its data folder, with the relayer's key in it.
        database: The database's URL.
        role: The part of a node that it runs.
        settings: Additional environment variables by their full names.
    """

    def __init__(self, data: Path, database: str, role: Role, settings: Mapping[str, str]) -> None:
        self.role = role
        self.port = free_port()
        self.url = url_of(self.port)
        self._settings = dict(settings) | {
            "TDR_DATA": str(data),
            "TDR_DATABASE_URL": database,
            "TDR_PORT": str(self.port),
        }
        self._log = data / f"{role.value}.log"
        self._process = self._start()

    def _start(self) -> ForkServerProcess:
        process = _FORKS.Process(target=_live, args=(self._settings, self.role, self._log), daemon=True)
        process.start()
        return process

    def kill(self) -> None:
        """Kill the process with SIGKILL, and start a new one."""
        self._process.kill()
        self._process.join()
        self._process = self._start()

    def revive(self) -> None:
        """Start a new process if the current one has ended, as a supervisor does."""
        if not self._process.is_alive():
            self._process.join()
            self._process = self._start()

    def is_up(self) -> bool:
        """Return whether it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2.0)
        try:
            connection.request("GET", "/v1/health/live")
            return connection.getresponse().status == http.HTTPStatus.NO_CONTENT
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop the process with SIGTERM."""
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(SECONDS_TO_STOP)
        self._process.kill()
        self._process.join()

    def index_is_right(self, rpc_url: str | None) -> bool:
        """Return whether the index equals the fold of the chain, by `tdr index check`. Stop the node first.

        If not, or if there is no result, the last lines of the log are written to stderr.

        Args:
            rpc_url: The chain without the proxy; None means the embedded chain.
        """
        patient = {"TDR_RPC_TIMEOUT_SECONDS": "300"}  # What a node gives up soon, a slow machine must answer here.
        settings = self._settings | patient | ({} if rpc_url is None else {"TDR_RPC_URLS": rpc_url})
        process = _FORKS.Process(target=_check_index, args=(settings, self._log))
        process.start()
        process.join()
        if process.exitcode:
            print(*self._log.read_text(errors="replace").splitlines()[-LINES_SHOWN:], sep="\n", file=sys.stderr)
        return process.exitcode == 0


def url_of(port: int) -> str:
    """Return the URL of a port on this machine."""
    return f"http://127.0.0.1:{port}"


def _live(settings: Mapping[str, str], role: Role, log: Path) -> None:
    """Run the node in the child process until it is killed."""
    _write_to(log)
    server.serve(load({}, settings).settings, role)


def _check_index(settings: Mapping[str, str], log: Path) -> None:
    _write_to(log)
    given = load({}, settings).settings
    with Node.open(given, Role.INDEXER if given.rpc_urls else Role.ALL) as opened:
        found = check(opened.chain, opened.storage, opened.deployment, opened.rooms)
    print(found, flush=True)
    sys.exit(0 if found.is_equal else 1)


def _write_to(log: Path) -> None:
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
