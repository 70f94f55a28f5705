"""Conversations with a gateway, without network and clock.

A conversation is a generator. It yields what it needs (a `Request` to send, a `Pause` to wait) and is resumed with what
came of it: a `Response`, or an error that is thrown into it. `GatewayClient` and `AsyncGatewayClient` run the same
conversations and differ in how they send and sleep. Source: the idea is that of httpx's `Auth.auth_flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeAlias, TypeVar

from pydantic_core import from_json

from registry.base.errors import InvalidInput, NotFound, RegistryError, Unavailable
from registry.sdk.models.result import AnyPage, Json, Page

Outcome = TypeVar("Outcome")
Outcome_co = TypeVar("Outcome_co", covariant=True)
Step = TypeVar("Step")
Row = TypeVar("Row")

PAGE_ROWS: Final = 100
SEND_ATTEMPTS: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a gateway.

    Args:
        method: The HTTP method.
        path: The path below the gateway's URL, percent-encoded.
        query: The parameters.
        body: The JSON body, or None.
        headers: Further headers.
        timeout: Seconds to wait for the answer; None: as long as the client is set to.
    """

    method: str
    path: str
    query: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A successful answer of a gateway.

    Args:
        content: The body.
        headers: The headers, names in lower case.
    """

    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Warning: it is not read by Python's reader, which may overflow the stack on deeply nested JSON.

        Raises:
            ValueError: It is not a JSON object, or is nested deeper than about 200 levels.
        """
        document = from_json(self.content, allow_inf_nan=False)
        if not isinstance(document, dict):
            raise ValueError(f"expected a JSON object, got {type(document).__name__}")
        return document


@dataclass(frozen=True, slots=True)
class Operation(Generic[Outcome_co]):
    """One action of a gateway.

    Args:
        request: The request to send.
        parse: Return the result in a response. Raise ValueError, InvalidInput, LookupError or TypeError for a response
            that is not valid; `ask` turns them into `Unavailable`.
    """

    request: Request
    parse: Callable[[Response], Outcome_co]

    def with_query(self, **parameters: str) -> Operation[Outcome_co]:
        """Return the operation with further parameters."""
        return replace(self, request=replace(self.request, query={**self.request.query, **parameters}))


@dataclass(frozen=True, slots=True)
class Pause:
    """Sleep before the next request.

    Args:
        seconds: For how long.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """Rows of a list that is read page by page.

    Args:
        rows: The rows of one page.
    """

    rows: tuple[Row, ...]


Conversation: TypeAlias = Generator[Request | Pause, Any, Outcome]
Listing: TypeAlias = Generator[Request | Pause | Rows[Row], Any, None]


def resume(conversation: Generator[Step, Any, Any], came: Response | RegistryError | None) -> Step:
    """Return the next step of a conversation.

    Args:
        conversation: The conversation.
        came: What came of the last step; None at the beginning, and after a step that gives nothing.

    Raises:
        StopIteration: The conversation is over; the value is its result.
    """
    return conversation.throw(came) if isinstance(came, RegistryError) else conversation.send(came)


def ask(operation: Operation[Outcome]) -> Conversation[Outcome]:
    """Send one request and return its result.

    Raises:
        Unavailable: The response is not valid.
    """
    response: Response = yield operation.request
    try:
        return operation.parse(response)
    except (InvalidInput, ValueError, LookupError, TypeError) as error:
        raise invalid_response() from error


def ask_if_found(operation: Operation[Outcome]) -> Conversation[Outcome | None]:
    """Send one request and return its result; None if the gateway answers that it does not have it."""
    try:
        return (yield from ask(operation))
    except NotFound:
        return None


def ask_again(operation: Operation[Outcome]) -> Conversation[Outcome]:
    """Send one request, again after a pause if no valid answer came. It must be safe to repeat.

    Raises:
        Unavailable: No valid answer came to the last attempt.
    """
    pause = FIRST_PAUSE_SECONDS
    for _ in range(SEND_ATTEMPTS - 1):
        try:
            return (yield from ask(operation))
        except Unavailable:
            yield Pause(pause)
        pause *= 2
    return (yield from ask(operation))


def whole_list(operation: Operation[AnyPage]) -> Conversation[AnyPage]:
    """Read all pages of a list and return them as one page, as of the block of the first.

    Raises:
        Unavailable: A response is not valid, or a cursor repeats.
    """
    operation = operation.with_query(limit=str(PAGE_ROWS))
    first = page = yield from ask(operation)
    later: list[AnyPage] = []
    cursors: set[str] = set()
    while page.next:
        _require_new(page, cursors)
        page = yield from ask(operation.with_query(cursor=page.next))
        later.append(page)
    return first.joined(later)


def listing(
    operation: Operation[AnyPage], rows_of: Callable[[AnyPage], tuple[Row, ...]], limit: int | None
) -> Listing[Row]:
    """Read a list page by page and yield the rows of each.

    Args:
        operation: Asks for the first page.
        rows_of: Return the rows of a page.
        limit: The highest number of rows; None: all.

    Raises:
        Unavailable: A response is not valid, or a cursor repeats.
    """
    remaining = limit
    cursors: set[str] = set()
    while remaining is None or remaining > 0:
        page = yield from ask(operation.with_query(limit=str(min(PAGE_ROWS, remaining or PAGE_ROWS))))
        rows = rows_of(page)[:remaining]
        yield Rows(rows)
        if not page.next:
            return
        _require_new(page, cursors)
        operation = operation.with_query(cursor=page.next)
        remaining = None if remaining is None else remaining - len(rows)


def invalid_response() -> Unavailable:
    """Return the error for a response that no gateway of this version sends."""
    return Unavailable(
        "The gateway returned an invalid or unsupported response.", hint="Is this the address of a tdr gateway?"
    )


def _require_new(page: Page, cursors: set[str]) -> None:
    """Require that a page leads on: a cursor that repeats would be followed for ever."""
    if page.next in cursors:
        raise invalid_response()
    cursors.add(page.next or "")
