"""Bind a port, first of all, so that nothing has to be undone if the port is taken."""

from __future__ import annotations

import socket
from typing import Final

from registry.base.errors import Conflict, InvalidInput

BACKLOG: Final = 1024
UNREAD_SECONDS: Final = 60
"""How long a client may receive nothing before the system ends its connection, on systems that can do so."""


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port.

    Raises:
        Conflict: The port is taken.
        InvalidInput: This machine does not have the address, or the user may not use the port.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise InvalidInput(f"Cannot listen on the address {host!r}: {error.strerror}.") from error
    except PermissionError as error:
        raise InvalidInput(f"This user may not listen on port {port}.", hint="Choose a port above 1023.") from error
    except OSError as error:
        raise Conflict(
            f"Port {port} at {host} cannot be used: {error.strerror}.",
            hint="Another node may be running; stop it, or choose another port with --port.",
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Connections inherit it from the listener.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
