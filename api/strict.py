"""Read requests: limits first, then strict JSON, and only query parameters that the route has.

The limits apply before anything is parsed. Ambiguous JSON (equal keys, NaN, unpaired surrogates) is refused, because a
signature covers one meaning. A misspelt query parameter is refused, because an answer without the filter would be
mistaken for a filtered one.
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
"""More values than a manifest of 32 MiB contains. A value takes up to a hundred times its length in memory."""
MAX_STRING: Final = 512 * 2**10
"""The bytes of one string: more than stored metadata can take, even with every character escaped. Python copies a
string, with up to four times its length."""
LARGE_AT_ONCE: Final = 2
"""The number of bodies larger than a message that may be received at once."""

_NO_MARKS: Final = bytes(set(range(256)) - set(b'",[{'))
"""All bytes but those that end a string or precede a value."""
_read_alone = CapacityLimiter(1)


class _Receiving:
    """The number of large bodies in memory."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> bool:
        """Count another large body.

        Raises:
            Refused: There are too many already.
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
        """Count one large body less."""
        self._count -= 1


_receiving = _Receiving()


class Values:
    """Counts the values of a JSON text that arrives in parts, and measures its strings, without parsing the text.

    A value begins the text, or follows `,`, `[` or `{` outside of strings; members count once with their name.

    Attributes:
        count: An upper bound of the number of values.
        string: A lower bound of the bytes of the last string that spans whole parts.
    """

    def __init__(self) -> None:
        self.count = 1
        self.string = 0
        self._is_in_string = False
        self._left = b""
        """A backslash that ended a part; the character that it escapes is in the next one."""

    def add(self, part: bytes) -> None:
        """Count the values of the next part."""
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
        """Return the refusal if there are too many values or a string is too long."""
        if self.count > MAX_VALUES:
            return Refused(
                LARGE,
                f"The body has more than {MAX_VALUES:,} JSON values.",
                hint="Register without the manifest: its owner must store a manifest of this many files.",
            )
        if self.string > MAX_STRING:
            return Refused(LARGE, f"The body has a string of more than {MAX_STRING:,} bytes.")
        return None


class StrictRequest(Request):
    """A request whose body is read within limits and parsed strictly."""

    max_bytes = MAX_MESSAGE_BYTES
    is_large = False
    """Whether the body is larger than a message, and is counted as a large one."""

    async def body(self) -> bytes:
        """Return the body.

        Raises:
            Refused: It is compressed, has another media type, is too large, or arrives too slowly.
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
            # A large text is parsed in a thread, so that other requests continue.
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
        kept = BytesIO()  # It grows in place: separate parts would fragment the memory of the process.
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
                # Read the rest and discard it: a client that is still sending does not read the answer.
                kept.truncate(0)
        if refusal is not None:
            raise refusal
        return kept.getvalue()

    def _too_large(self) -> Refused:
        # The rest of the body is still arriving, so the connection cannot be used again.
        return Refused(LARGE, f"The body has more than {self.max_bytes} bytes.", headers={"Connection": "close"})


class LargeRequest(StrictRequest):
    max_bytes = MAX_DOCUMENTS_BYTES


class StrictRoute(APIRoute):
    """A route that reads its request strictly. A body may contain a message only."""

    request_class: type[StrictRequest] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which reads the request strictly."""
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
                async with _read_alone:  # One large body at a time is parsed.
                    return await handler(strict_request)
            finally:
                if strict_request.is_large:
                    _receiving.end()

        return strict


class PublicationRoute(StrictRoute):
    """A route whose body may contain documents too."""

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
                "unknown parameter",
                hint=f"Known parameters: {', '.join(sorted(known)) or 'none'}.",
            )
        if name in seen:
            raise invalid(f"query.{name}", "it is given more than once")
        seen.add(name)
