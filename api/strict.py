"""How the gateway reads a request: limits first, then strict JSON; and only query parameters that the route has.

The limits hold before anything is parsed. What a JSON reader could take in two ways (equal keys, NaN, unpaired
surrogates) is refused, because signatures are about meaning. A query parameter that is misspelt is refused, because
an answer without the filter would be taken for the answer with it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from email.message import Message as MediaType
from io import BytesIO
from typing import Any, Final

from anyio import CapacityLimiter
from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.problems import LARGE, MALFORMED, MEDIA, SLOW, UNAVAILABLE, Refused, invalid
from registry.base.canonical import read_json
from registry.base.errors import InvalidInput

MAX_MESSAGE_BYTES: Final = 64 * 2**10
MAX_DOCUMENTS_BYTES: Final = 32 * 2**20
BODY_SECONDS: Final = 30.0
MAX_VALUES: Final = 1_600_000
"""More than a manifest of 32 MiB can hold. Each takes memory a hundred times its length in the text."""
MAX_STRING: Final = 512 * 2**10
"""Bytes of one string: more than metadata take that are kept, however they are escaped. In Python a string is a copy,
of up to four times its length."""
LARGE_AT_ONCE: Final = 2
"""How many bodies of more than a message may be received at once."""

_NO_MARKS: Final = bytes(set(range(256)) - set(b'",[{'))
"""All bytes but those that end a string or precede a value."""
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


class Values:
    """Counts, without parsing it, the values of a JSON text that comes in parts, and tells how long its strings are.

    A value begins the text, or follows `,`, `[` or `{` outside of strings; members count once with their name.

    Attributes:
        count: How many values there are at most.
        string: How many bytes the last string that goes through whole parts has at least.
    """

    def __init__(self) -> None:
        self.count = 1
        self.string = 0
        self._is_in_string = False
        self._left = b""
        """A backslash that ended a part; the character that it escapes is in the next one."""

    def add(self, part: bytes) -> None:
        """Count on through the next part."""
        part = self._left + part
        backslashes = len(part) - len(part.rstrip(b"\\"))
        self._left = b"\\" * (backslashes % 2)
        part = part[: len(part) - len(self._left)]
        size = len(part)
        if b"\\" in part:
            part = part.replace(rb"\\", b"").replace(rb"\"", b"")
        pieces = part.translate(None, _NO_MARKS).split(b'"')
        self.count += len(b"".join(pieces[self._is_in_string :: 2]))
        self._is_in_string ^= len(pieces) % 2 == 0
        self.string = self.string + size if self._is_in_string and len(pieces) == 1 else 0

    def refusal(self) -> Refused | None:
        """Return what to answer where there are too many, or a string is too long."""
        if self.count > MAX_VALUES:
            return Refused(
                LARGE,
                f"The body holds more than {MAX_VALUES:,} JSON values.",
                hint="A manifest of so many files is kept by its owner: register without it.",
            )
        if self.string > MAX_STRING:
            return Refused(LARGE, f"The body holds a string of more than {MAX_STRING:,} bytes.")
        return None


class StrictRequest(Request):
    """A request whose body is read within limits and parsed strictly."""

    max_bytes = MAX_MESSAGE_BYTES
    is_large = False
    """Whether the body is more than a message, and so counts among those that are received."""

    async def body(self) -> bytes:
        """Return the body.

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
        """Return the JSON value of the body.

        Raises:
            Refused: It is not JSON, or ambiguous.
        """
        try:
            body = await self.body()
            # A large text is read in a thread: other answers do not wait for it.
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
        kept = BytesIO()  # It grows in place: pieces would leave holes in the memory that the process has.
        values = Values()
        refusal: Refused | None = None
        size = 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > self.max_bytes:
                raise self._too_large()
            if size > MAX_MESSAGE_BYTES and not self.is_large:
                self.is_large = _receiving.begin()
            if refusal is None:
                kept.write(chunk)
                values.add(chunk)
                refusal = values.refusal()
            else:
                # Read on and keep nothing: a client that is still sending does not look for an answer.
                kept.truncate(0)
        if refusal is not None:
            raise refusal
        return kept.getvalue()

    def _too_large(self) -> Refused:
        # The rest of the body is still on its way: the connection cannot be used again.
        return Refused(LARGE, f"The body has more than {self.max_bytes} bytes.", headers={"Connection": "close"})


class LargeRequest(StrictRequest):
    max_bytes = MAX_DOCUMENTS_BYTES


class StrictRoute(APIRoute):
    """A route that reads its request strictly. A body holds a message at most."""

    request_class: type[StrictRequest] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with the request read strictly."""
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


def _read(body: bytes) -> object:
    value = read_json(body)
    if b"\\ud" in body or b"\\uD" in body:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InvalidInput("It holds an unpaired surrogate, which is not Unicode text.") from None
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
