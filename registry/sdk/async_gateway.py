"""The asynchronous client of a gateway, for asyncio. It differs from `registry.sdk.gateway` in how it sends alone."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
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


class AsyncGatewayClient:
    """One gateway, over HTTP. Its methods are those of `registry.sdk.gateway.GatewayClient`, which describes them.

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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = transport.Place.parse(url)
        self._http = httpx.AsyncClient(**self._place.client_options(timeout))
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

    async def deployment(self) -> Deployment:
        """See `GatewayClient.deployment`."""
        return await self.ask(node.deployment())

    async def chain_time(self) -> int | None:
        """See `GatewayClient.chain_time`."""
        return await self.ask(node.chain_time())

    async def health(self) -> Health:
        """See `GatewayClient.health`."""
        return await self.ask(node.health())

    async def send(self, signed: Signed[Message], members: Json | None = None) -> Receipt:
        """See `GatewayClient.send`."""
        return await self.run(ask_again(receipts.send(signed, members, idempotency_key=secrets.token_hex(16))))

    async def receipt(self, receipt_id: str, *, wait: int = 0, until_final: bool = False) -> Receipt:
        """See `GatewayClient.receipt`."""
        return await self.ask(receipts.receipt(receipt_id, wait=wait, until_final=until_final))

    async def wait(
        self,
        receipt: Receipt,
        *,
        until_final: bool = False,
        seconds: float = 600.0,
        progress: wait.Progress | None = None,
    ) -> Receipt:
        """See `GatewayClient.wait`."""
        return await self.run(
            wait.until_done(receipt, until_final=until_final, seconds=seconds, clock=self._clock, progress=progress)
        )

    async def ask(self, operation: Operation[Outcome]) -> Outcome:
        """See `GatewayClient.ask`."""
        return await self.run(ask(operation))

    async def run(self, conversation: Conversation[Outcome]) -> Outcome:
        """See `GatewayClient.run`."""
        came: Response | RegistryError | None = None
        while True:
            try:
                step = resume(conversation, came)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            came = await self._carry_out(step)

    async def rows(self, listing: Listing[Row]) -> AsyncIterator[Row]:
        """See `GatewayClient.rows`."""
        came: Response | RegistryError | None = None
        while True:
            try:
                step = resume(listing, came)
            except StopIteration:
                return
            if isinstance(step, Rows):
                for row in step.rows:
                    yield row
                came = None
            else:
                came = await self._carry_out(step)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _carry_out(self, step: Request | Pause) -> Response | RegistryError | None:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        try:
            response = await self._http.request(**transport.arguments_of(step))
        except transport.SENDING_ERRORS as error:
            return transport.failure_of(error, self._place)
        return transport.outcome_of(response, self._place)
