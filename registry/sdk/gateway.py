"""The synchronous client of a gateway, without rooms: it sends signed messages, waits for them, and asks operations."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import httpx

from registry.base.errors import RegistryError
from registry.ethereum.eip712 import Message
from registry.rooms.deployment import Deployment
from registry.sdk import transport, wait
from registry.sdk.exchange import (
    Conversation,
    Listing,
    Operation,
    Pause,
    Request,
    Response,
    Rows,
    ask,
    ask_again,
    resume,
)
from registry.sdk.models.node import Health
from registry.sdk.models.receipts import Receipt
from registry.sdk.models.result import Json
from registry.sdk.operations import node, receipts
from registry.sdk.signing import Signed

Outcome = TypeVar("Outcome")
Row = TypeVar("Row")


class GatewayClient:
    """One gateway, over HTTP. All methods that send raise:

        Unavailable: The gateway cannot be reached, is not ready, or returned an invalid response.
        InvalidInput, NotFound, Conflict, ContractRefused: The gateway answered with an error.
        LimitReached: The gateway relays no more messages for now.

    Args:
        url: The gateway's URL, for example ``http://127.0.0.1:8000``.
        timeout: Seconds to wait for an answer.
        sleep: Wait for a number of seconds.
        clock: Return seconds that only grow.

    Raises:
        InvalidInput: The URL is not an http or https URL.
    """

    def __init__(
        self,
        url: str = transport.DEFAULT_URL,
        *,
        timeout: float = transport.TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = transport.Place.parse(url)
        self._http = httpx.Client(**self._place.client_options(timeout))
        self._sleep = sleep
        self._clock = clock

    @property
    def url(self) -> str:
        """The gateway's URL."""
        return self._place.url

    @property
    def rpc_url(self) -> str:
        """The URL of the chain's JSON-RPC at the gateway, read-only."""
        return self._place.rpc_url

    def deployment(self) -> Deployment:
        """Return the chain that the gateway serves, and where the contracts are."""
        return self.ask(node.deployment())

    def chain_time(self) -> int | None:
        """Return the chain's time, Unix seconds; None if the gateway does not give it."""
        return self.ask(node.chain_time())

    def health(self) -> Health:
        """Return the state of the node."""
        return self.ask(node.health())

    def send(self, signed: Signed[Message], members: Json | None = None) -> Receipt:
        """Send a signed message. It is sent again if the answer is lost, which has no second effect.

        Args:
            signed: The message with its signature.
            members: What else the gateway takes with this message, as further members of the body; or None.
        """
        return self.run(ask_again(receipts.send(signed, members, idempotency_key=secrets.token_hex(16))))

    def receipt(self, receipt_id: str, *, wait: int = 0, until_final: bool = False) -> Receipt:
        """Return a receipt.

        Args:
            receipt_id: The receipt's id.
            wait: For how many seconds the gateway may wait until the write is mined or failed; 30 at most.
            until_final: Whether it waits until the write is final or failed.
        """
        return self.ask(receipts.receipt(receipt_id, wait=wait, until_final=until_final))

    def wait(
        self,
        receipt: Receipt,
        *,
        until_final: bool = False,
        seconds: float = 600.0,
        progress: wait.Progress | None = None,
    ) -> Receipt:
        """Wait until a write is mined, or final.

        Args:
            receipt: Its receipt.
            until_final: Whether to wait until it is final.
            seconds: How long to wait at most.
            progress: Is called with the receipt before each request, and at the end.

        Raises:
            ContractRefused: A contract refused the write.
            Conflict: The write failed for another reason.
            Unavailable: The time is over. The write may still have its effect.
        """
        return self.run(
            wait.until_done(receipt, until_final=until_final, seconds=seconds, clock=self._clock, progress=progress)
        )

    def ask(self, operation: Operation[Outcome]) -> Outcome:
        """Send the request of an operation and return its result."""
        return self.run(ask(operation))

    def run(self, conversation: Conversation[Outcome]) -> Outcome:
        """Carry out the steps of a conversation and return its result."""
        came: Response | RegistryError | None = None
        while True:
            try:
                step = resume(conversation, came)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            came = self._carry_out(step)

    def rows(self, listing: Listing[Row]) -> Iterator[Row]:
        """Yield the rows of a list; a page is read when its first row is used."""
        came: Response | RegistryError | None = None
        while True:
            try:
                step = resume(listing, came)
            except StopIteration:
                return
            if isinstance(step, Rows):
                yield from step.rows
                came = None
            else:
                came = self._carry_out(step)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _carry_out(self, step: Request | Pause) -> Response | RegistryError | None:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        try:
            response = self._http.request(**transport.arguments_of(step))
        except transport.SENDING_ERRORS as error:
            return transport.failure_of(error, self._place)
        return transport.outcome_of(response, self._place)
