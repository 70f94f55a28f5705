"""The asynchronous client of a gateway, for asyncio. It differs from `registry.sdk.client` in how it sends alone."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Literal, Self, TypeVar

import httpx

from registry.base.errors import RegistryError
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.eip712 import Message
from registry.manifest import Manifest
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.statements import Retraction
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
    ask_if_found,
    listing,
    whole_list,
)
from registry.sdk.models.access import AccessAnswer, AccessRequests, GranteeState, Grants
from registry.sdk.models.datasets import (
    Claims,
    Dataset,
    DatasetItem,
    DatasetPage,
    DatasetState,
    History,
    Lineage,
    VersionPage,
)
from registry.sdk.models.documents import Documents, RequestPolicyState
from registry.sdk.models.evidence import Certificate
from registry.sdk.models.node import Health
from registry.sdk.models.receipts import Receipt
from registry.sdk.models.result import Json
from registry.sdk.operations import access, datasets, documents, evidence, node, receipts
from registry.sdk.signing import Published, Signed

Outcome = TypeVar("Outcome")
Row = TypeVar("Row")


class AsyncClient:
    """One gateway, over HTTP. Its methods are those of `registry.sdk.client.Client`, which describes them.

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

    async def ask(self, operation: Operation[Outcome]) -> Outcome:
        """Send the request of any operation and return its result."""
        return await self._run(ask(operation))

    async def deployment(self) -> Deployment:
        """See `Client.deployment`."""
        return await self.ask(node.deployment())

    async def chain_time(self) -> int | None:
        """See `Client.chain_time`."""
        return await self.ask(node.chain_time())

    async def health(self) -> Health:
        """See `Client.health`."""
        return await self.ask(node.health())

    async def send(self, signed: Signed[Message], published: Published | None = None) -> Receipt:
        """See `Client.send`."""
        return await self._run(ask_again(receipts.send(signed, published, idempotency_key=secrets.token_hex(16))))

    async def receipt(self, receipt_id: str, *, wait: int = 0, until_final: bool = False) -> Receipt:
        """See `Client.receipt`."""
        return await self.ask(receipts.receipt(receipt_id, wait=wait, until_final=until_final))

    async def wait(
        self,
        receipt: Receipt,
        *,
        until_final: bool = False,
        seconds: float = 600.0,
        progress: wait.Progress | None = None,
    ) -> Receipt:
        """See `Client.wait`."""
        return await self._run(
            wait.until_done(receipt, until_final=until_final, seconds=seconds, clock=self._clock, progress=progress)
        )

    async def dataset(self, dataset_id: DatasetId | str, *, min_block: int | None = None) -> Dataset:
        """See `Client.dataset`."""
        return await self.ask(datasets.dataset(dataset_id, min_block=min_block))

    async def state(self, dataset_id: DatasetId | str) -> DatasetState:
        """See `Client.state`."""
        return await self.ask(datasets.state(dataset_id))

    def datasets(self, *, limit: int | None = None, **filters: str | None) -> AsyncIterator[DatasetItem]:
        """See `Client.datasets`."""
        return self._yield_rows(listing(datasets.datasets(**filters), _items, limit))

    async def versions(self, dataset_id: DatasetId | str) -> VersionPage:
        """See `Client.versions`."""
        return await self._run(whole_list(datasets.versions(dataset_id)))

    async def history(self, dataset_id: DatasetId | str) -> History:
        """See `Client.history`."""
        return await self._run(whole_list(datasets.history(dataset_id)))

    async def claims(self, sha256: Bytes32) -> Claims:
        """See `Client.claims`."""
        return await self._run(whole_list(datasets.claims(sha256)))

    async def lineage(
        self,
        dataset_id: DatasetId | str,
        *,
        version: int | None = None,
        direction: Literal["up", "down", "both"] = "both",
        depth: int | None = None,
    ) -> Lineage:
        """See `Client.lineage`."""
        return await self.ask(datasets.lineage(dataset_id, version=version, direction=direction, depth=depth))

    async def description(self, dataset_id: DatasetId | str, form: Literal["dcat", "croissant"]) -> Json:
        """See `Client.description`."""
        return await self.ask(datasets.description(dataset_id, form))

    async def grants(self, dataset_id: DatasetId | str, *, grantee: Address | None = None) -> Grants:
        """See `Client.grants`."""
        return await self._run(whole_list(access.grants(dataset_id, grantee=grantee)))

    async def access_requests(self, dataset_id: DatasetId | str) -> AccessRequests:
        """See `Client.access_requests`."""
        return await self._run(whole_list(access.access_requests(dataset_id)))

    async def grantee(self, dataset_id: DatasetId, address: Address) -> GranteeState:
        """See `Client.grantee`."""
        return await self.ask(access.grantee(dataset_id, address))

    async def access(self, dataset_id: DatasetId | str, address: Address, *, at: int | None = None) -> AccessAnswer:
        """See `Client.access`."""
        return await self.ask(access.access(dataset_id, address, at=at))

    async def publish(self, published: Published) -> Documents:
        """See `Client.publish`."""
        return await self.ask(documents.publish(published))

    async def retract(self, signed: Signed[Retraction]) -> Documents:
        """See `Client.retract`."""
        return await self.ask(documents.retract(signed))

    async def publications(self, dataset_id: DatasetId | str) -> Documents:
        """See `Client.publications`."""
        return await self.ask(documents.publications(dataset_id))

    async def set_request_policy(self, signed: Signed[RequestPolicy]) -> RequestPolicyState:
        """See `Client.set_request_policy`."""
        return await self.ask(documents.set_request_policy(signed))

    async def request_policy(self, dataset_id: DatasetId | str) -> RequestPolicyState:
        """See `Client.request_policy`."""
        return await self.ask(documents.request_policy(dataset_id))

    async def manifest(self, root: Bytes32) -> Manifest:
        """See `Client.manifest`."""
        return await self.ask(documents.manifest(root))

    async def metadata(self, metadata_hash: Bytes32) -> Json | None:
        """See `Client.metadata`."""
        return await self._run(ask_if_found(documents.metadata(metadata_hash)))

    async def certificate(
        self, dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None
    ) -> Certificate:
        """See `Client.certificate`."""
        return await self.ask(evidence.certificate(dataset_id, version=version, at=at))

    async def credential(
        self, dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None
    ) -> Json:
        """See `Client.credential`."""
        return await self.ask(evidence.credential(dataset_id, version=version, at=at))

    async def evidence(
        self,
        dataset_id: DatasetId,
        *,
        cosignatures: int | None = None,
        files: Sequence[str] = (),
        grantees: Sequence[Address] | None = None,
        version: int | None = None,
    ) -> bytes:
        """See `Client.evidence`."""
        return await self.ask(
            evidence.evidence(dataset_id, cosignatures=cosignatures, files=files, grantees=grantees, version=version)
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, conversation: Conversation[Outcome]) -> Outcome:
        came: Response | RegistryError | None = None
        while True:
            try:
                step = conversation.throw(came) if isinstance(came, RegistryError) else conversation.send(came)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            came = await self._carry_out(step)

    async def _yield_rows(self, steps: Listing[Row]) -> AsyncIterator[Row]:
        came: Response | RegistryError | None = None
        while True:
            try:
                step = steps.throw(came) if isinstance(came, RegistryError) else steps.send(came)
            except StopIteration:
                return
            if isinstance(step, Rows):
                for row in step.rows:
                    yield row
                came = None
            else:
                came = await self._carry_out(step)

    async def _carry_out(self, step: Request | Pause) -> Response | RegistryError | None:
        if isinstance(step, Pause):
            await self._sleep(step.seconds)
            return None
        try:
            response = await self._http.request(**transport.arguments_of(step))
        except transport.SENDING_ERRORS as error:
            return transport.failure_of(error, self._place)
        return transport.outcome_of(response, self._place)


def _items(page: DatasetPage) -> tuple[DatasetItem, ...]:
    return page.items
