"""The methods that a room adds to a client, written once for the synchronous and the asynchronous one.

A room's client is one class, a `RoomClient`, that lists methods: `get = Method(operations.dataset, ask)` has the
arguments and the docstring of that operation. Over a `GatewayClient` it returns the result, over an
`AsyncGatewayClient` a coroutine of it. Type checkers and editors know both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from registry.sdk.exchange import Conversation, Listing, Operation

if TYPE_CHECKING:  # An application loads one of them.
    from registry.sdk.async_gateway import AsyncGatewayClient
    from registry.sdk.gateway import GatewayClient

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Outcome = TypeVar("Outcome")
Row = TypeVar("Row")


class AnyGatewayClient(Protocol):
    """A `GatewayClient` or an `AsyncGatewayClient`."""

    def run(self, conversation: Conversation[Any]) -> Any:
        """Return the result of a conversation, or a coroutine of it."""

    def rows(self, listing: Listing[Any]) -> Any:
        """Yield the rows of a list that is read page by page."""


AnyClient = TypeVar("AnyClient", bound=AnyGatewayClient)
AnyClient_co = TypeVar("AnyClient_co", bound=AnyGatewayClient, covariant=True)


@dataclass(frozen=True, slots=True)
class RoomClient(Generic[AnyClient_co]):
    """What a client offers of one room. A subclass lists the methods.

    Args:
        client: The client that sends.
    """

    client: AnyClient_co


@dataclass(frozen=True, slots=True)
class Method(Generic[Arguments, Answer, Outcome]):
    """A method that returns one result.

    Args:
        operation: Return the operation for some arguments.
        conversation: Return the conversation that gives the result of the operation: `ask`, `ask_if_found` or
            `whole_list`.
    """

    operation: Callable[Arguments, Operation[Answer]]
    conversation: Callable[[Operation[Answer]], Conversation[Outcome]]

    @overload
    def __get__(self, room: RoomClient[GatewayClient], kind: object) -> Callable[Arguments, Outcome]: ...
    @overload
    def __get__(
        self, room: RoomClient[AsyncGatewayClient], kind: object
    ) -> Callable[Arguments, Coroutine[Any, Any, Outcome]]: ...
    def __get__(self, room: RoomClient[AnyGatewayClient], kind: object) -> Any:
        """Return the method of a room's client."""

        @wraps(self.operation)
        def call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Any:
            return room.client.run(self.conversation(self.operation(*arguments, **named)))

        return call


@dataclass(frozen=True, slots=True)
class RowsMethod(Generic[Arguments, Row]):
    """A method that yields the rows of a list, which is read page by page as they are used.

    Args:
        listing: Return the conversation that gives the rows.
    """

    listing: Callable[Arguments, Listing[Row]]

    @overload
    def __get__(self, room: RoomClient[GatewayClient], kind: object) -> Callable[Arguments, Iterator[Row]]: ...
    @overload
    def __get__(
        self, room: RoomClient[AsyncGatewayClient], kind: object
    ) -> Callable[Arguments, AsyncIterator[Row]]: ...
    def __get__(self, room: RoomClient[AnyGatewayClient], kind: object) -> Any:
        """Return the method of a room's client."""

        @wraps(self.listing)
        def call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Any:
            return room.client.rows(self.listing(*arguments, **named))

        return call
