"""How the gateway reads a request: limits first, then strict JSON; and no query parameter that nobody knows.

The limits hold before anything is parsed. What a JSON reader could take in two ways (equal keys, NaN, unpaired
surrogates) is refused, because signatures are about meaning. A query parameter that is misspelt is refused, because
an answer without the filter would be taken for the answer with it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterable
from email.message import Message as MediaType
from typing import Any, Final

from anyio import CapacityLimiter
from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.problems import LARGE, MALFORMED, MEDIA, SLOW, UNAVAILABLE, Refused, invalid
from registry.canonical import read_json
from registry.errors import InvalidInput

MAX_MESSAGE_BYTES: Final = 64 * 2**10
MAX_DOCUMENTS_BYTES: Final = 32 * 2**20
BODY_SECONDS: Final = 30.0
MAX_VALUES: Final = 1_600_000
"""More than a manifest of 32 MiB can hold. Each takes memory a hundred times its length in the text."""
LARGE_AT_ONCE: Final = 2
"""How many bodies of more than a message may be received at once."""

_BEFORE_VALUES: Final = (b",", b"[", b"{")
_PART: Final = 65_536
"""How many bytes are looked at in one go: between two, other threads have their turn."""
_PIECE: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[^"]{1,%d}|"' % _PART, re.DOTALL)
"""A string, or a part of what stands between two."""
_read_alone = CapacityLimiter(1)


class _Receiving:
    """How many large bodies are in memory."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> bool:
        """Count one more.

        Raises:
            Refused: There are too many.
        """
        if self._count >= LARGE_AT_ONCE:
            raise Refused(
                UNAVAILABLE,
                f"{LARGE_AT_ONCE} bodies of more than {MAX_MESSAGE_BYTES} bytes are being received already.",
                headers={"Retry-After": "5", "Connection": "close"},
            )
        self._count += 1
        return True

    def end(self) -> None:
        """Count one less."""
        self._count -= 1


_receiving = _Receiving()


class StrictRequest(Request):
    """A request whose body is read within limits and parsed strictly."""

    max_bytes = MAX_MESSAGE_BYTES
    is_large = False
    """Whether the body is more than a message, and so counts among those that are received."""

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
            if size > MAX_MESSAGE_BYTES and not self.is_large:
                self.is_large = _receiving.begin()
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
            try:
                if self.body_field is not None and not await strict_request.body():
                    raise Refused(MALFORMED, "The body is empty.")
                if not strict_request.is_large:
                    return await handler(strict_request)
                async with _read_alone:  # One large body at a time is made into values.
                    return await handler(strict_request)
            finally:
                if strict_request.is_large:
                    _receiving.end()

        return strict


class PublicationRoute(StrictRoute):
    """A route whose body may hold documents too."""

    request_class = LargeRequest


def values_in(body: bytes) -> int:
    """Return at most how many JSON values a text holds, without parsing it: a value begins it, or follows , [ { or :.

    Members count once with their name. What is inside strings is not counted where there is much of it. The count
    ends above the limit.
    """
    everywhere = _counted(body, ((at, at + _PART) for at in range(0, len(body), _PART)))
    if everywhere <= MAX_VALUES:
        return everywhere
    pieces = (piece.span() for piece in _PIECE.finditer(body))
    return _counted(body, ((start, end) for start, end in pieces if not body.startswith(b'"', start)))


def _counted(body: bytes, parts: Iterable[tuple[int, int]]) -> int:
    count = 1
    for start, end in parts:
        count += sum(body.count(mark, start, end) for mark in _BEFORE_VALUES)
        if count > MAX_VALUES:
            break
    return count


def _read(body: bytes) -> object:
    if values_in(body) > MAX_VALUES:
        raise Refused(
            LARGE,
            f"The body holds more than {MAX_VALUES:,} JSON values.",
            hint="A manifest of so many files is kept by its owner: register without it.",
        )
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
