"""Taking a port, before anything else is done that would have to be undone if it is taken."""

from __future__ import annotations

import socket
from typing import Final

from registry.base.errors import Conflict, InvalidInput

BACKLOG: Final = 1024
UNREAD_SECONDS: Final = 60
"""After how long the system ends a connection whose client takes nothing, where the system can."""


def listen(host: str, port: int) -> socket.socket:
    """Listen at a port.

    Raises:
        Conflict: It is taken.
        InvalidInput: There is no such address here, or the port may not be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise InvalidInput(f"There is no address {host!r} to listen at: {error.strerror}.") from error
    except PermissionError as error:
        raise InvalidInput(f"This user may not listen at port {port}.", hint="Choose one above 1023.") from error
    except OSError as error:
        raise Conflict(
            f"Port {port} at {host} cannot be used: {error.strerror}.",
            hint="Another node may be running; stop it, or choose another port with --port.",
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Connections have it from the listener.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
