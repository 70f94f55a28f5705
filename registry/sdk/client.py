"""The synchronous client of a gateway.

A `Client` sends what was signed elsewhere and reads what is indexed. It holds no key. A gateway need not be trusted for
evidence: `registry.rooms.datasets.service` and `registry.rooms.access.service` read the chain itself.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
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


class Client:
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

    def ask(self, operation: Operation[Outcome]) -> Outcome:
        """Send the request of any operation and return its result."""
        return self._run(ask(operation))

    def deployment(self) -> Deployment:
        """Return the chain that the gateway serves, and where the contracts are."""
        return self.ask(node.deployment())

    def chain_time(self) -> int | None:
        """Return the chain's time, Unix seconds; None if the gateway does not give it."""
        return self.ask(node.chain_time())

    def health(self) -> Health:
        """Return the state of the node."""
        return self.ask(node.health())

    def send(self, signed: Signed[Message], published: Published | None = None) -> Receipt:
        """Send a signed message. It is sent again if the answer is lost, which has no second effect.

        Args:
            signed: The message with its signature.
            published: The documents of the version that the message makes, to be made public; or None.
        """
        return self._run(ask_again(receipts.send(signed, published, idempotency_key=secrets.token_hex(16))))

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
        return self._run(
            wait.until_done(receipt, until_final=until_final, seconds=seconds, clock=self._clock, progress=progress)
        )

    def dataset(self, dataset_id: DatasetId | str, *, min_block: int | None = None) -> Dataset:
        """Return a dataset.

        Args:
            dataset_id: The dataset's id, or its first 8 or more hex digits.
            min_block: The height that the gateway's index must have reached.
        """
        return self.ask(datasets.dataset(dataset_id, min_block=min_block))

    def state(self, dataset_id: DatasetId | str) -> DatasetState:
        """Return the fields of a dataset that its next message depends on."""
        return self.ask(datasets.state(dataset_id))

    def datasets(self, *, limit: int | None = None, **filters: str | None) -> Iterator[DatasetItem]:
        """Yield datasets, the newest first, page by page.

        Args:
            limit: The highest number of datasets; None: all.
            filters: owner, name, q, sha256, status, source.
        """
        return self._yield_rows(listing(datasets.datasets(**filters), _items, limit))

    def versions(self, dataset_id: DatasetId | str) -> VersionPage:
        """Return all versions of a dataset, in ascending order."""
        return self._run(whole_list(datasets.versions(dataset_id)))

    def history(self, dataset_id: DatasetId | str) -> History:
        """Return the whole history of a dataset, in the order of the chain."""
        return self._run(whole_list(datasets.history(dataset_id)))

    def claims(self, sha256: Bytes32) -> Claims:
        """Return every registration of a file, content root or metadata with a hash, in the order of the chain."""
        return self._run(whole_list(datasets.claims(sha256)))

    def lineage(
        self,
        dataset_id: DatasetId | str,
        *,
        version: int | None = None,
        direction: Literal["up", "down", "both"] = "both",
        depth: int | None = None,
    ) -> Lineage:
        """Return what a dataset derives from, and what derives from it.

        Args:
            dataset_id: The dataset's id, or its first 8 or more hex digits.
            version: One version of it; None: all.
            direction: up, down or both.
            depth: The highest number of steps; None: no limit.
        """
        return self.ask(datasets.lineage(dataset_id, version=version, direction=direction, depth=depth))

    def description(self, dataset_id: DatasetId | str, form: Literal["dcat", "croissant"]) -> Json:
        """Return a dataset's description for a data catalogue, as JSON-LD."""
        return self.ask(datasets.description(dataset_id, form))

    def grants(self, dataset_id: DatasetId | str, *, grantee: Address | None = None) -> Grants:
        """Return all grants on a dataset, or those to one grantee, also ended ones, the newest first."""
        return self._run(whole_list(access.grants(dataset_id, grantee=grantee)))

    def access_requests(self, dataset_id: DatasetId | str) -> AccessRequests:
        """Return all requests for access to a dataset, the newest first."""
        return self._run(whole_list(access.access_requests(dataset_id)))

    def grantee(self, dataset_id: DatasetId, address: Address) -> GranteeState:
        """Return the counters that the next message about a dataset and a grantee must name."""
        return self.ask(access.grantee(dataset_id, address))

    def access(self, dataset_id: DatasetId | str, address: Address, *, at: int | None = None) -> AccessAnswer:
        """Return whether an account may use a dataset.

        Args:
            dataset_id: The dataset's id, or its first 8 or more hex digits.
            address: The account.
            at: The time, Unix seconds, UTC; None: now.
        """
        return self.ask(access.access(dataset_id, address, at=at))

    def publish(self, published: Published) -> Documents:
        """Make documents of a version public; return all documents of the dataset."""
        return self.ask(documents.publish(published))

    def retract(self, signed: Signed[Retraction]) -> Documents:
        """Retract public documents of a version; return all documents of the dataset."""
        return self.ask(documents.retract(signed))

    def publications(self, dataset_id: DatasetId | str) -> Documents:
        """Return all documents of a dataset that were ever published."""
        return self.ask(documents.publications(dataset_id))

    def set_request_policy(self, signed: Signed[RequestPolicy]) -> RequestPolicyState:
        """Open a dataset to requests for access, or close it to them; return the policy in force."""
        return self.ask(documents.set_request_policy(signed))

    def request_policy(self, dataset_id: DatasetId | str) -> RequestPolicyState:
        """Return whether the gateway accepts requests for access to a dataset."""
        return self.ask(documents.request_policy(dataset_id))

    def manifest(self, root: Bytes32) -> Manifest:
        """Return the manifest with a content root. It is checked against the root."""
        return self.ask(documents.manifest(root))

    def metadata(self, metadata_hash: Bytes32) -> Json | None:
        """Return the metadata with a hash; None if it is not public. It is not checked against the hash."""
        return self._run(ask_if_found(documents.metadata(metadata_hash)))

    def certificate(
        self, dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None
    ) -> Certificate:
        """Return the certificate of a dataset.

        Args:
            dataset_id: The dataset's id, or its first 8 or more hex digits.
            version: The version; None: the latest.
            at: The time that it is a snapshot of, Unix seconds, UTC; None: that of the latest block.
        """
        return self.ask(evidence.certificate(dataset_id, version=version, at=at))

    def credential(self, dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None) -> Json:
        """Return the certificate of a dataset as a Verifiable Credential; the arguments are those of `certificate`."""
        return self.ask(evidence.credential(dataset_id, version=version, at=at))

    def evidence(
        self,
        dataset_id: DatasetId,
        *,
        cosignatures: int | None = None,
        files: Sequence[str] = (),
        grantees: Sequence[Address] | None = None,
        version: int | None = None,
    ) -> bytes:
        """Return a dataset's evidence bundle, as the gateway makes it. It proves nothing until it is verified.

        Args:
            dataset_id: The dataset.
            cosignatures: Take the newest checkpoint with this many cosignatures; None: the latest block.
            files: The paths of files to show instead of the whole manifest.
            grantees: The accounts whose access to show; None: all.
            version: The version whose content to show; None: the latest.
        """
        return self.ask(
            evidence.evidence(dataset_id, cosignatures=cosignatures, files=files, grantees=grantees, version=version)
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, conversation: Conversation[Outcome]) -> Outcome:
        came: Response | RegistryError | None = None
        while True:
            try:
                step = conversation.throw(came) if isinstance(came, RegistryError) else conversation.send(came)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            came = self._carry_out(step)

    def _yield_rows(self, steps: Listing[Row]) -> Iterator[Row]:
        came: Response | RegistryError | None = None
        while True:
            try:
                step = steps.throw(came) if isinstance(came, RegistryError) else steps.send(came)
            except StopIteration:
                return
            if isinstance(step, Rows):
                yield from step.rows
                came = None
            else:
                came = self._carry_out(step)

    def _carry_out(self, step: Request | Pause) -> Response | RegistryError | None:
        if isinstance(step, Pause):
            self._sleep(step.seconds)
            return None
        try:
            response = self._http.request(**transport.arguments_of(step))
        except transport.SENDING_ERRORS as error:
            return transport.failure_of(error, self._place)
        return transport.outcome_of(response, self._place)


def _items(page: DatasetPage) -> tuple[DatasetItem, ...]:
    return page.items
