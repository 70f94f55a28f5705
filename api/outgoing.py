"""Answers being sent: what a client has not read stays in this process's memory.

A small answer fits into the system's buffer of the connection. A larger one is sent in parts, and a client that reads
too slowly does not get the rest. The bytes of large answers held at once are limited.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from starlette.types import Message, Scope, Send

from api.connection import ABANDON, STALL_SECONDS

PART: Final = 2**16
LARGE: Final = 2**20
"""The size in bytes from which an answer is large."""
MOST: Final = 32 * 2**20
"""The bytes of large answers held at once; a single answer may have more."""
GRACE_SECONDS: Final = 30.0
BYTES_PER_SECOND: Final = 2**17
"""How fast a client must read after the grace period."""

log = structlog.get_logger("api.access")


class Outgoing:
    """The answers that are being sent."""

    def __init__(self) -> None:
        self._held = 0

    def has_room(self, size: int) -> bool:
        """Return whether an answer of this many bytes may be sent now."""
        return size <= LARGE or not self._held or self._held + size <= MOST

    async def send(self, scope: Scope, send: Send, message: Message) -> None:
        """Pass a body to the server, a long one in parts; end the connection if the client reads too slowly."""
        body = message.get("body", b"")
        if len(body) <= PART:
            await send(message)
            return
        counted = len(body) if len(body) > LARGE else 0
        self._held += counted
        try:
            async with asyncio.timeout(GRACE_SECONDS + len(body) / BYTES_PER_SECOND):
                for start in range(0, len(body), PART):
                    follows = start + PART < len(body) or message.get("more_body", False)
                    async with asyncio.timeout(STALL_SECONDS):
                        await send({**message, "body": body[start : start + PART], "more_body": follows})
        except TimeoutError:
            log.warning("the client reads its answer too slowly; the rest is not sent", bytes=len(body))
            scope["extensions"][ABANDON]()
        finally:
            self._held -= counted
