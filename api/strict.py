"""How the gateway reads a request: limits first, then strict JSON; and no query parameter that nobody knows.

The limits hold before anything is parsed. What a JSON reader could take in two ways (equal keys, NaN, unpaired
surrogates) is refused, because signatures are about meaning. A query parameter that is misspelt is refused, because
an answer without the filter would be taken for the answer with it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from email.message import Message as MediaType
from typing import Any, Final

from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.problems import LARGE, MALFORMED, MEDIA, SLOW, Refused, invalid
from registry.canonical import read_json
from registry.errors import InvalidInput

MAX_MESSAGE_BYTES: Final = 64 * 2**10
MAX_DOCUMENTS_BYTES: Final = 32 * 2**20
BODY_SECONDS: Final = 30.0


class StrictRequest(Request):
    """A request whose body is read within limits and parsed strictly."""

    max_bytes = MAX_MESSAGE_BYTES

    async def body(self) -> bytes:
        """The body.

        Raises:
            Refused: It is compressed, not JSON by its type, too large, or comes too slowly.
        """
        if not hasattr(self, "_body"):
            self._refuse_by_headers()
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    self._body = await self._read()
            except TimeoutError:
                raise Refused(
                    SLOW, f"The body was not complete after {BODY_SECONDS:.0f} s.", headers={"Connection": "close"}
                ) from None
        return self._body

    async def json(self) -> Any:
        """The body's value.

        Raises:
            Refused: It is not JSON, or ambiguous.
        """
        try:
            body = await self.body()
            # A large text is read in a thread: nobody else's answer waits for it.
            return _read(body) if len(body) <= MAX_MESSAGE_BYTES else await run_in_threadpool(_read, body)
        except InvalidInput as error:
            raise Refused(MALFORMED, error.message) from error

    def _refuse_by_headers(self) -> None:
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(MEDIA, "The body is compressed.", headers={"Accept-Encoding": "identity"})
        media = MediaType()
        media["content-type"] = self.headers.get("content-type", "")
        if media.get_content_type() != "application/json" or "content-type" not in self.headers:
            raise Refused(
                MEDIA, "The body has no Content-Type application/json.", headers={"Accept": "application/json"}
            )
        declared = self.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self.max_bytes:
            raise self._too_large()

    async def _read(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > self.max_bytes:
                raise self._too_large()
            chunks.append(chunk)
        return b"".join(chunks)

    def _too_large(self) -> Refused:
        # The rest of the body is still on its way: the connection cannot be used again.
        return Refused(LARGE, f"The body has more than {self.max_bytes} bytes.", headers={"Connection": "close"})


class LargeRequest(StrictRequest):
    max_bytes = MAX_DOCUMENTS_BYTES


class StrictRoute(APIRoute):
    """A route that reads its request strictly. A body holds a message at most."""

    request_class: type[StrictRequest] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the request read strictly."""
        handler = super().get_route_handler()
        request_class = self.request_class
        known = frozenset(
            field.alias for field in get_flat_params(self.dependant) if isinstance(field.field_info, params.Query)
        )

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                _refuse_unknown(request, known)
            strict_request = request_class(request.scope, request.receive)
            if self.body_field is not None and not await strict_request.body():
                raise Refused(MALFORMED, "The body is empty.")
            return await handler(strict_request)

        return strict


class PublicationRoute(StrictRoute):
    """A route whose body may hold documents too."""

    request_class = LargeRequest


def _read(body: bytes) -> object:
    value = read_json(body)
    if b"\\ud" in body or b"\\uD" in body:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InvalidInput("It holds an unpaired surrogate, which is no Unicode text.") from None
    return value


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise invalid(
                f"query.{name[:80]}",
                "there is no such parameter",
                hint=f"There are: {', '.join(sorted(known)) or 'none'}.",
            )
        if name in seen:
            raise invalid(f"query.{name}", "it is given more than once")
        seen.add(name)
