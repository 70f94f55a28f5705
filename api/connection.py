"""A connection to a client: for one that has not taken what it was answered, nothing more is computed.

A client may send its next requests before it reads an answer (RFC 9112, section 9.3.2). Each answer would be held until
the ones before it are read, if they ever are.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STALL_SECONDS: Final = 10.0
"""How long a client may take nothing of an answer that waits for it."""
ABANDON: Final = "tdr.abandon"
"""The extension of the ASGI scope that ends the connection at once, whatever was not sent yet."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with an end for clients that do not read."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._served: Any = self.app
        self.app: Any = self._once_taken

    async def _once_taken(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle: Any = send.__self__  # type: ignore[attr-defined]  # uvicorn's state of this request

        def abandon() -> None:
            cycle.disconnected = True  # Else uvicorn's log calls it a fault of the app.
            self.transport.abort()  # Closing would wait until all is sent.

        if self.flow.write_paused:
            try:
                await asyncio.wait_for(self.flow.drain(), STALL_SECONDS)
            except TimeoutError:
                abandon()
        if self.transport.is_closing():
            abandon()  # Nobody is there for the answer.
            return
        scope.setdefault("extensions", {})[ABANDON] = abandon
        await self._served(scope, receive, send)

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection, and what was not read of it."""
        self.transport.abort()
