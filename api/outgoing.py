"""Large answers on their way: what a client does not read, the process holds.

A small answer fits into what the system keeps for a connection. Of large ones only so many bytes are held at once; each
is handed over in parts, and a client that reads too slowly does not get the rest.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from starlette.types import Send

LARGE: Final = 2**20
"""Bytes from which on an answer is large."""
MOST: Final = 32 * 2**20
"""Bytes of large answers that are held at once; one alone may have more."""
PART: Final = 2**16
GRACE_SECONDS: Final = 30.0
BYTES_PER_SECOND: Final = 2**17
"""How fast a client must read after the grace."""

log = structlog.get_logger("api.access")


class Outgoing:
    """The large answers that are being sent."""

    def __init__(self) -> None:
        self._held = 0

    def has_room(self, size: int) -> bool:
        """Return whether an answer of so many bytes may be sent now."""
        return size <= LARGE or not self._held or self._held + size <= MOST

    async def send(self, send: Send, body: bytes, *, more_body: bool) -> None:
        """Hand a large body to the server in parts, until the client reads too slowly."""
        self._held += len(body)
        try:
            async with asyncio.timeout(GRACE_SECONDS + len(body) / BYTES_PER_SECOND):
                for start in range(0, len(body), PART):
                    end = start + PART
                    is_last = end >= len(body) and not more_body
                    await send({"type": "http.response.body", "body": body[start:end], "more_body": not is_last})
        except TimeoutError:
            log.warning("the client reads its answer too slowly: it does not get the rest", bytes=len(body))
        finally:
            self._held -= len(body)
