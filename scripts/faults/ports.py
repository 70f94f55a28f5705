"""Ports for processes that take a port number and cannot inherit a socket."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

PORTS = range(12_000, 32_000)
"""The range is below the ports that Linux uses for outgoing connections and for port 0 (32768 and up)."""

_claims: list[socket.socket] = []
_random = random.SystemRandom()


def free_port() -> int:
    """Return a TCP port that nothing listens on, and that no other call returns while this process runs.

    A port found by binding port 0 may be given to another process as soon as it is closed. Here the port is claimed by
    an abstract Unix socket of its name, which the kernel releases when this process ends.
    """
    while True:
        port = _random.choice(PORTS)
        claim = socket.socket(socket.AF_UNIX)
        with suppress(OSError), socket.socket() as probe:
            claim.bind(f"\0tdr-port-{port}")
            probe.bind(("127.0.0.1", port))
            _claims.append(claim)
            return port
        claim.close()
