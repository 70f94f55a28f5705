"""Running a node as a process: the port first, then the node, then the answers; and all of it ends in order."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from contextlib import closing
from types import FrameType
from typing import Final

import uvicorn

from api.app import create_app
from registry.config import Settings
from registry.errors import Conflict, InvalidInput
from registry.node import Node, Role
from registry.node.journal import configure

BACKLOG: Final = 1024
GRACE_SECONDS: Final = 10
KEEP_ALIVE_SECONDS: Final = 30


class Server(uvicorn.Server):
    """uvicorn, ended by a signal without the signal being raised a second time: the node is still to be closed."""

    def __init__(self, config: uvicorn.Config, node: Node, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._node = node
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer."""
        await super().startup(sockets)
        self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stops taking requests and finishes those that are here; a second Ctrl-C does not wait for them."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._node.is_stopping = True


def listen(host: str, port: int) -> socket.socket:
    """Takes a port.

    Raises:
        Conflict: It is taken.
        InvalidInput: There is no such address here, or the port may not be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise InvalidInput(f"There is no address {host!r} to listen at: {error.strerror}.") from error
    except PermissionError as error:
        raise InvalidInput(f"This user may not listen at port {port}.", hint="Choose one above 1023.") from error
    except OSError as error:
        raise Conflict(
            f"Port {port} at {host} cannot be used: {error.strerror}.",
            hint="Another node may be running; stop it, or choose another port with --port.",
        ) from error


def serve(settings: Settings, role: Role = Role.ALL, *, started: Callable[[Node, str], None] | None = None) -> None:
    """Runs a node until SIGTERM or Ctrl-C. To be called from the main thread.

    Args:
        settings: The settings.
        role: Which part of a node this process is.
        started: Called once it answers, with the node and its URL.

    Raises:
        Conflict: The port, the data folder or the database is in use, or belongs to another chain.
        InvalidInput: A setting cannot be used.
        Unavailable: The chain or the database cannot be reached.
    """
    configure(settings.log_level, settings.log_format)
    with closing(listen(settings.host, settings.port)) as listener, Node.open(settings, role) as node:
        node.start()
        server = Server(configuration(node), node, lambda: started and started(node, url_of(listener)))
        server.run(sockets=[listener])


def url_of(listener: socket.socket) -> str:
    """The URL of what listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def configuration(node: Node) -> uvicorn.Config:
    """How uvicorn runs the node's app."""
    return uvicorn.Config(
        create_app(node),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
