"""The context of every request: its id, log line, measurement, and the headers common to all answers."""

from __future__ import annotations

import logging
import re
import secrets
import time

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.outgoing import Outgoing
from api.problems import UNAVAILABLE, fault, respond
from registry.metrics import HttpMetrics

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
]

_NO_ROOM = "Too many large answers are being sent at once."

log = structlog.get_logger("api.access")
_stdlib = logging.getLogger("api.access")  # Checked first, because most reads are not logged.


class RequestContextMiddleware:
    """ASGI middleware; a single one, because each layer costs time in every request.

    Args:
        app: The app behind it.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._outgoing = Outgoing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        status = 500
        is_begun = False
        waiting: Message | None = None  # The answer's head, held until it is known whether the body can be sent.
        is_refused = False

        async def send_head(message: Message) -> None:
            nonlocal status, is_begun
            status, is_begun = message["status"], True
            present = {name for name, _ in message["headers"]}
            message["headers"] += [(name, value) for name, value in _HEADERS if name not in present]
            message["headers"].append((b"x-request-id", request_id))
            await send(message)

        async def send_on(message: Message) -> None:
            nonlocal waiting, is_refused
            if message["type"] == "http.response.start":
                waiting = message
                return
            if is_refused:
                return
            if waiting is not None:
                if not self._outgoing.has_room(len(message.get("body", b""))):
                    is_refused = True
                    problem = respond(Request(scope), UNAVAILABLE, _NO_ROOM, {"Retry-After": "5"})
                    waiting, message = _head_of(problem), {"type": message["type"], "body": problem.body}
                await send_head(waiting)
                waiting = None
            await self._outgoing.send(scope, send, message)

        structlog.contextvars.bind_contextvars(request_id=request_id.decode())
        try:
            await self._app(scope, receive, send_on)
        except Exception:
            if not is_begun:  # Starlette would answer outside of this middleware, without the request's id.
                answer = fault(Request(scope))
                await send_head(_head_of(answer))
                await send({"type": "http.response.body", "body": answer.body})
            raise  # The server logs it and ends the connection.
        finally:
            elapsed = time.perf_counter() - started
            self._note(scope, status, elapsed)
            structlog.contextvars.unbind_contextvars("request_id")

    def _note(self, scope: Scope, status: int, elapsed: float) -> None:
        """Count a request, and log it if it is a write or a fault."""
        # The route's template, not the path: paths are unlimited in number and may contain anything.
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.observe(scope["method"], route, status, elapsed)
        # Reads are frequent, and /rpc only reads.
        is_write = scope["method"] == "POST" and route != "/rpc"
        if is_write or status >= 500 or _stdlib.isEnabledFor(logging.DEBUG):
            log.info("request", method=scope["method"], route=route, status=status, ms=round(elapsed * 1000, 2))


def _head_of(answer: Response) -> Message:
    return {"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers}


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            request_id: bytes = value
            return request_id
    return secrets.token_hex(8).encode()
