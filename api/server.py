"""Run a node as a process: bind the port, open the node, answer requests; stop in the reverse order."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from types import FrameType
from typing import Final

import uvicorn

from api.app import create_app
from api.connection import Connection
from api.listener import listen, url_of
from api.rooms.catalogue import GATEWAY_ROOMS
from api.rooms.room import GatewayRoom
from registry.base.allocator import keep_memory_small
from registry.base.logging import configure
from registry.config import Settings
from registry.node import Node, Role

GRACE_SECONDS: Final = 10
KEEP_ALIVE_SECONDS: Final = 30


class Server(uvicorn.Server):
    """uvicorn, stopped by a signal without raising the signal again, because the node must still be closed."""

    def __init__(self, config: uvicorn.Config, node: Node, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._node = node
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer requests."""
        await super().startup(sockets)
        self._started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop accepting requests and finish the current ones; at a second Ctrl-C, do not wait for them."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._node.is_stopping = True


def serve(settings: Settings, role: Role = Role.ALL, *, started: Callable[[Node, str], None] | None = None) -> None:
    """Run a node until SIGTERM or Ctrl-C. Call it from the main thread.

    Args:
        settings: The settings.
        role: The part of a node that this process runs.
        started: Called with the node and its URL once it answers.

    Raises:
        Conflict: The port, the data folder or the database is in use, or belongs to another chain.
        InvalidInput: A setting is invalid.
        Unavailable: The chain or the database cannot be reached.
    """
    configure(settings.log_level, settings.log_format)
    keep_memory_small()
    with closing(listen(settings.host, settings.port)) as listener, Node.open(settings, role) as node:
        node.start()
        server = Server(configuration(node), node, lambda: started and started(node, url_of(listener)))
        server.run(sockets=[listener])


def configuration(node: Node, rooms: Sequence[GatewayRoom] = GATEWAY_ROOMS) -> uvicorn.Config:
    """Return the uvicorn configuration for a node's app.

    Args:
        node: The node.
        rooms: The rooms that it serves over HTTP.
    """
    return uvicorn.Config(
        create_app(node, rooms),
        http=Connection,
        ws="none",  # WebSockets are not offered: such a request is answered like any other.
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
