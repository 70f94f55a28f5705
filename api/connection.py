"""A connection to a client: while the client does not read its answers, no further answer is computed.

A client may send its next requests before it reads an answer (RFC 9112, section 9.3.2). Each answer would be held in
memory until the earlier ones have been read, which may never happen.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STALL_SECONDS: Final = 10.0
"""How long a client may read nothing of a waiting answer."""
ABANDON: Final = "tdr.abandon"
"""The extension of the ASGI scope that ends the connection at once and discards unsent data."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, ended if the client does not read."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._served: Any = self.app
        self.app: Any = self._once_taken

    async def _once_taken(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle: Any = send.__self__  # type: ignore[attr-defined]  # uvicorn's state of this request

        def abandon() -> None:
            cycle.disconnected = True  # Otherwise uvicorn logs it as a fault of the app.
            self.transport.abort()  # Closing would wait until everything has been sent.

        if self.flow.write_paused:
            try:
                await asyncio.wait_for(self.flow.drain(), STALL_SECONDS)
            except TimeoutError:
                abandon()
        if self.transport.is_closing():
            abandon()  # The client has left.
            return
        scope.setdefault("extensions", {})[ABANDON] = abandon
        await self._served(scope, receive, send)

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection and discard what the client has not read."""
        self.transport.abort()
