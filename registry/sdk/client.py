"""The gateway's HTTP API for Python: the command line stands on it, and whoever builds on the registry may too.

A `Gateway` sends what was signed elsewhere and reads what is indexed. It holds no key. What it reads is the gateway's
word; to read the chain itself, take `registry.rooms.datasets.service` and `registry.rooms.access.service`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, NoReturn, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from registry.base.errors import (
    Conflict,
    ContractRefused,
    InvalidInput,
    LimitReached,
    NotFound,
    RegistryError,
    Unavailable,
)
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.base.urls import parse_http_url
from registry.ethereum.eip712 import Message, Signable
from registry.manifest import Manifest
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.statements import Publication, Retraction
from registry.rooms.deployment import ContractAt, Deployment

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 20.0
LONG_POLL_SECONDS = 25
SEND_ATTEMPTS = 5
PAGE = 100
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Json = Mapping[str, Any]
Status = Literal["accepted", "signed", "sent", "mined", "final", "failed"]

_ERRORS: Mapping[int, type[RegistryError]] = {404: NotFound, 409: Conflict}
_AGAIN = frozenset({429, 502, 503, 504})
_LIMIT_REACHED = "/problems/limit-reached"


class _Answer(BaseModel):
    """A JSON object of the gateway; fields that this version does not know are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True)


_AnyAnswer = TypeVar("_AnyAnswer", bound=_Answer)
AnySigned = TypeVar("AnySigned", bound=Signable)


class Failure(_Answer):
    """Why an accepted write had no effect. `error` is the Solidity error's name, where a contract refused."""

    error: str | None = None
    values: dict[str, Any] = Field(default_factory=dict)
    detail: str = ""


class Receipt(_Answer):
    """The durable answer to a write.

    Attributes:
        id: Names the receipt; `Gateway.receipt` takes it.
        status: accepted, signed, sent, mined, final or failed.
        block_number: The block that it is in, once it is mined.
        failure: Why it failed, if it did.
        already_done: Whether the effect was there before, by an earlier write of the same owner.
    """

    id: str
    action: str
    status: Status
    dataset_id: DatasetId
    transaction_hash: Bytes32 | None = None
    block_number: int | None = None
    failure: Failure | None = None
    already_done: bool = False


class DatasetState(_Answer):
    """What a dataset is now, as far as the next message must know it."""

    dataset_id: DatasetId
    owner: Address
    version: int
    content_root: Bytes32
    head: Bytes32
    status: Literal["active", "withdrawn"]


class PairState(_Answer):
    """What the next message about a dataset and a grantee must name."""

    epoch: int
    requests: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate.

    Args:
        page: The PDF file, with the evidence bundle inside.
        has_link: Whether the page has a code that leads to the gateway; it has none where no address is public.
    """

    page: bytes
    has_link: bool


@dataclass(frozen=True, slots=True)
class Signed(Generic[AnySigned]):
    """A message or a statement, and the signature of its owner over it.

    Args:
        message: The message or statement.
        signature: 65 bytes (r, s, v), or what the owner's contract wallet takes.
    """

    message: AnySigned
    signature: bytes

    def body(self) -> dict[str, object]:
        """Return the JSON that is sent."""
        return {"message": self.message.to_json(), "signature": f"0x{self.signature.hex()}"}


@dataclass(frozen=True, slots=True)
class Published:
    """Documents of a version, and the owner's signed word that they may be public. Warning: everybody can read them.

    Args:
        signed: The publication and its signature.
        metadata: The metadata that it names, or None.
        manifest: The manifest that it names, or None.
    """

    signed: Signed[Publication]
    metadata: Json | None = None
    manifest: Manifest | None = None

    def documents(self) -> dict[str, object]:
        """Return the documents as JSON."""
        documents: dict[str, object] = {} if self.metadata is None else {"metadata": self.metadata}
        return documents if self.manifest is None else documents | {"manifest": json.loads(self.manifest.to_json())}


class Gateway:
    """One gateway, over HTTP. All methods raise:

        Unavailable: It cannot be reached, or is not ready.
        InvalidInput, NotFound, Conflict, ContractRefused: Its answer is an error.
        LimitReached: It relays no more for now.

    Args:
        url: Its address, for example ``http://127.0.0.1:8000``.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, url: str = DEFAULT_URL, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self.url = url.rstrip("/")
        parsed = parse_http_url(self.url, "A gateway's")
        self._name = parsed._replace(netloc=parsed.netloc.rpartition("@")[2]).geturl()  # Without a password.
        self._client = httpx.Client(
            base_url=self.url,
            timeout=timeout,
            headers={"accept": "application/json"},
            trust_env=parsed.hostname not in LOOPBACK,  # A proxy of the environment leads to other machines.
        )

    @property
    def rpc_url(self) -> str:
        """Where it offers the chain's JSON-RPC, read-only."""
        return f"{self.url}/rpc"

    def deployment(self) -> Deployment:
        """The chain that it serves, and where the contracts are on it."""
        answer = self._get("/v1/deployment")
        try:
            contracts = {
                name: ContractAt(Address.parse(contract["address"]), int(contract["blockNumber"]))
                for name, contract in answer["contracts"].items()
            }
            return Deployment(int(answer["chainId"]), Bytes32.parse(answer["genesisHash"]), contracts)
        except (AttributeError, KeyError, TypeError, ValueError, InvalidInput) as error:
            raise self._unreadable() from error

    def chain_time(self) -> int | None:
        """Return the chain's time, Unix seconds, as the gateway tells it; None where it does not."""
        found = self._get("/v1/deployment").get("chainTime")
        return found if type(found) is int else None

    def health(self) -> Json:
        """How it is."""
        return self._get("/v1/health")

    def send(self, signed: Signed[Message], published: Published | None = None) -> Receipt:
        """Hands in a signed message. Repeating it after a lost answer has no second effect.

        Args:
            signed: The message and its signature.
            published: The documents of the version that the message makes, for everybody to read.
        """
        message = signed.message
        path = message.PATH.format(dataset_id=message.subject.id)
        body = signed.body()
        if published is not None:
            body |= {**published.documents(), "publication": published.signed.body()}
        headers = {"idempotency-key": secrets.token_hex(16)}
        attempt = 1
        while True:
            try:
                return self._model(Receipt, self._answer("POST", path, json=body, headers=headers))
            except Unavailable:
                if attempt == SEND_ATTEMPTS:
                    raise
                time.sleep(0.25 * 2**attempt)
                attempt += 1

    def publish(self, published: Published) -> Json:
        """Make documents of a version public; return what became of all documents of the dataset."""
        statement = published.signed.message
        body = {**published.signed.body(), **published.documents()}
        return self._sent(f"/v1/datasets/{statement.dataset_id}/publications", body)

    def retract(self, signed: Signed[Retraction]) -> Json:
        """Take documents of a version back; return what became of all documents of the dataset."""
        return self._sent(f"/v1/datasets/{signed.message.dataset_id}/retractions", signed.body())

    def publications(self, dataset_id: DatasetId | str) -> Json:
        """Return every document of a dataset that was ever published, and what became of it."""
        return self._get(f"/v1/datasets/{_segment(dataset_id)}/publications")

    def set_request_policy(self, signed: Signed[RequestPolicy]) -> Json:
        """Say whether the gateway takes requests for access; return what is in force."""
        return self._sent(f"/v1/datasets/{signed.message.dataset_id}/request-policy", signed.body())

    def takes_requests(self, dataset_id: DatasetId | str) -> bool:
        """Return whether the gateway takes requests for access to a dataset."""
        with self.reading():
            return bool(self._get(f"/v1/datasets/{_segment(dataset_id)}/request-policy")["accepted"])

    def _sent(self, path: str, body: Json) -> Json:
        answer = self._answer("POST", path, json=body)
        with self.reading():
            parsed: Json = answer.json()
            return parsed

    def receipt(self, receipt_id: str, *, wait: int = 0, until_final: bool = False) -> Receipt:
        """A receipt as it is now, or as soon as it has ended.

        Args:
            receipt_id: Its id.
            wait: For how many seconds, 30 at most, to wait until it is mined or failed.
            until_final: Wait until it is final or failed.
        """
        query = ({"wait": str(wait)} if wait else {}) | ({"until": "final"} if until_final else {})
        answer = self._answer("GET", f"/v1/receipts/{quote(receipt_id, safe='')}", params=query, timeout=wait + 10.0)
        return self._model(Receipt, answer)

    def wait(
        self,
        receipt: Receipt,
        *,
        until_final: bool = False,
        seconds: float = 600.0,
        progress: Callable[[Receipt], None] | None = None,
    ) -> Receipt:
        """Waits until a write is mined, or final.

        Args:
            receipt: Its receipt.
            until_final: Wait until it is final.
            seconds: How long at most.
            progress: Is told the receipt whenever it has been asked for.

        Raises:
            ContractRefused, Conflict: It failed.
            Unavailable: It has not ended within that time. It still may.
        """
        limit = time.monotonic() + seconds
        while True:
            if progress:
                progress(receipt)
            if receipt.status == "failed":
                _raise_failure(receipt)
            if receipt.status == "final" or (receipt.status == "mined" and not until_final):
                return receipt
            remaining = limit - time.monotonic()
            if remaining <= 0:
                raise Unavailable(
                    f"After {seconds:g} s the write {receipt.id} is still {receipt.status!r}.",
                    hint=f"It is not lost: ask again with `tdr receipt {receipt.id}`.",
                )
            try:
                receipt = self.receipt(
                    receipt.id, wait=max(1, min(LONG_POLL_SECONDS, int(remaining))), until_final=until_final
                )
            except Unavailable:
                if time.monotonic() + 1 > limit:
                    raise
                time.sleep(1)

    def dataset(self, dataset_id: DatasetId | str, *, min_block: int | None = None) -> Json:
        """A dataset as it is now.

        Args:
            dataset_id: Its id, or at least its first 8 hex digits.
            min_block: The block that the answer must know at least.
        """
        answer = self._get(f"/v1/datasets/{_segment(dataset_id)}", **_given(min_block=min_block))
        # The id is signed next, or read from the chain: a gateway that lies must not lead to another dataset.
        if not str(answer.get("datasetId")).removeprefix("0x").startswith(str(dataset_id).lower().removeprefix("0x")):
            raise Unavailable(f"{self._name} was asked about {dataset_id} and answered about another dataset.")
        return answer

    def state(self, dataset_id: DatasetId | str) -> DatasetState:
        """What the next message about a dataset must know."""
        return self._model(DatasetState, self.dataset(dataset_id))

    def datasets(self, *, limit: int | None = None, **filters: str | None) -> Iterator[Json]:
        """Datasets, page by page.

        Args:
            limit: How many at most; None: all.
            filters: owner, name, q, sha256, status, source.
        """
        cursor: str | None = None
        remaining = limit
        while remaining is None or remaining > 0:
            page = self._get(
                "/v1/datasets", limit=str(min(PAGE, remaining or PAGE)), **_given(cursor=cursor, **filters)
            )
            items = self._rows(page, "items")
            yield from items
            cursor = page.get("next")
            if not cursor:
                return
            remaining = None if remaining is None else remaining - len(items)

    def history(self, dataset_id: DatasetId | str) -> Json:
        """Everything that happened to a dataset, the first first."""
        return self._whole(f"/v1/datasets/{_segment(dataset_id)}/history")

    def lineage(
        self,
        dataset_id: DatasetId | str,
        *,
        version: int | None = None,
        direction: Literal["up", "down", "both"] = "both",
        depth: int | None = None,
    ) -> Json:
        """What a dataset derives from, and what derives from it.

        Args:
            dataset_id: Its id, or at least its first 8 hex digits.
            version: One version of it; None: all.
            direction: up, down or both.
            depth: How many steps at most; None: to the end.
        """
        return self._get(
            f"/v1/datasets/{_segment(dataset_id)}/lineage", **_given(version=version, direction=direction, depth=depth)
        )

    def description(self, dataset_id: DatasetId | str, form: Literal["dcat", "croissant"]) -> Json:
        """A dataset's description in a catalogue's format, as JSON-LD."""
        return self._get(f"/v1/datasets/{_segment(dataset_id)}/{form}")

    def credential(self, dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None) -> Json:
        """The certificate of a dataset as a Verifiable Credential; the arguments are those of `certificate`."""
        return self._get(f"/v1/datasets/{_segment(dataset_id)}/credential", **_given(version=version, at=at))

    def certificate(
        self, dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None
    ) -> Certificate:
        """The certificate of a dataset.

        Args:
            dataset_id: Its id, or at least its first 8 hex digits.
            version: The version; None: the latest.
            at: As of when, Unix seconds, UTC; None: as of the latest block.
        """
        path = f"/v1/datasets/{_segment(dataset_id)}/certificate.pdf"
        answer = self._answer("GET", path, params=_given(version=version, at=at))
        return Certificate(answer.content, answer.headers.get("tdr-verify-link") != "none")

    def grants(self, dataset_id: DatasetId | str, *, grantee: Address | None = None) -> Json:
        """The grants on a dataset, ended ones included, the newest first."""
        return self._whole(f"/v1/datasets/{_segment(dataset_id)}/grants", **_given(grantee=grantee))

    def access_requests(self, dataset_id: DatasetId | str) -> Json:
        """Who asked for access to a dataset, the newest first, and whether they were granted any since."""
        return self._whole(f"/v1/datasets/{_segment(dataset_id)}/requests")

    def pair(self, dataset_id: DatasetId, grantee: Address) -> PairState:
        """What the next message about a dataset and a grantee must name."""
        return self._model(PairState, self._get(f"/v1/datasets/{dataset_id}/grantees/{grantee}"))

    def access(self, dataset_id: DatasetId | str, address: Address, *, at: int | None = None) -> Json:
        """Whether an account may use a dataset.

        Args:
            dataset_id: Its id, or at least its first 8 hex digits.
            address: The account.
            at: Unix seconds, UTC; None: now.
        """
        path = f"/v1/datasets/{_segment(dataset_id)}/access"
        answer = self._get(path, address=str(address), **_given(at=at))
        if not isinstance(answer.get("allowed"), bool):
            raise self._unreadable()
        return answer

    def claims(self, sha256: Bytes32) -> Json:
        """Who registered a file, a content root or metadata with this hash, the first first."""
        return self._whole("/v1/verify", "claims", sha256=sha256.hex())

    def manifest(self, root: Bytes32) -> Manifest:
        """The manifest with a root. It is checked against the root, so that the gateway need not be trusted."""
        answer = self._answer("GET", f"/v1/manifests/{root}")
        manifest = Manifest.parse(answer.content)
        if manifest.root != root:
            raise Unavailable(f"{self._name} answered with the manifest of another root than {root}.")
        return manifest

    def metadata(self, metadata_hash: Bytes32) -> Json | None:
        """The metadata with a hash, or None where it is not kept there. It is not checked against the hash."""
        try:
            return self._get(f"/v1/metadata/{metadata_hash}")
        except NotFound:
            return None

    def evidence(
        self,
        dataset_id: DatasetId,
        *,
        cosignatures: int | None = None,
        files: Sequence[str] = (),
        grantees: Sequence[Address] | None = None,
        version: int | None = None,
    ) -> bytes:
        """A dataset's evidence bundle, as the gateway makes it. It proves nothing until it is verified.

        Args:
            dataset_id: The dataset.
            cosignatures: As of the newest checkpoint that so many witnesses cosigned; None: of the latest block.
            files: The paths of files to show instead of the whole manifest.
            grantees: Whose access to show; None: everybody's.
            version: The version whose content to show; None: the latest.
        """
        query: dict[str, Any] = _given(cosignatures=cosignatures, version=version)
        query |= {"file": list(files), "grantee": [str(grantee) for grantee in grantees or ()]}
        return self._answer("GET", f"/v1/datasets/{dataset_id}/evidence", params=query).content

    @contextmanager
    def reading(self) -> Iterator[None]:
        """For the reading of an answer: what a row lacks, or has of another kind, is the gateway's fault.

        Raises:
            Unavailable: Reading failed.
        """
        try:
            yield
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise self._unreadable() from error

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, path: str, **query: str) -> Json:
        return self._object(self._answer("GET", path, params=query))

    def _whole(self, path: str, rows: str = "items", **query: str) -> Json:
        """A list with the rows of all its pages, as of the block of the first."""
        whole = page = self._get(path, limit=str(PAGE), **query)
        listed = self._rows(page, rows)
        while page.get("next"):
            page = self._get(path, limit=str(PAGE), cursor=str(page["next"]), **query)
            listed += self._rows(page, rows)
        return {**whole, rows: listed, "next": None}

    def _rows(self, page: Json, rows: str) -> list[Json]:
        """The rows of a page, if they are any."""
        found = page.get(rows)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise self._unreadable()
        return list(found)

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._client.request(method, path, **options)
        except UnicodeEncodeError as error:
            raise InvalidInput(
                f"What was given for the gateway is no text: {str(error.object)[:80]!r}.", hint="Give it in UTF-8."
            ) from None
        except httpx.ConnectError as error:
            raise Unavailable(
                f"No gateway answers at {self._name}.",
                hint="Start a node with `tdr up`, or name another gateway with --gateway or TDR_GATEWAY.",
            ) from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"The gateway at {self._name} gave no answer ({type(error).__name__}).", hint="Try again."
            ) from error
        if response.is_success:
            return response
        raise self._problem(response)

    def _problem(self, response: httpx.Response) -> RegistryError:
        try:
            problem = self._object(response)
        except Unavailable:
            problem = {}
        if not isinstance(problem.get("detail"), str):
            return Unavailable(
                f"{self._name} answered with HTTP status {response.status_code} and no reason a gateway would give.",
                hint="Is this the address of a tdr gateway?",
            )
        message, hint, values = problem["detail"], problem.get("hint"), problem.get("values")
        hint = hint if isinstance(hint, str) else ""
        faults = [fault for fault in _list(problem.get("errors")) if isinstance(fault, dict)]
        told = "; ".join(f"{fault.get('field')}: {fault.get('detail')}" for fault in faults)
        if told not in message:
            message += f" {told}"
        if isinstance(problem.get("error"), str):
            return ContractRefused(problem["error"], values if isinstance(values, dict) else {}, message, hint=hint)
        if candidates := _list(problem.get("candidates")):
            hint = f"{hint} It may be: {', '.join(map(str, candidates[:5]))}.".lstrip()
        status = response.status_code
        if problem.get("type") == _LIMIT_REACHED:
            return LimitReached(message, hint=hint, retry_after=_seconds(response.headers.get("retry-after", "")))
        kind = _ERRORS.get(status, Unavailable if status in _AGAIN or status >= 500 else InvalidInput)
        return kind(message, hint=hint)

    def _object(self, response: httpx.Response) -> Json:
        try:
            answer = response.json()
        except ValueError as error:
            raise self._unreadable() from error
        if not isinstance(answer, dict):
            raise self._unreadable()
        return answer

    def _model(self, kind: type[_AnyAnswer], answer: httpx.Response | Json) -> _AnyAnswer:
        try:
            return kind.model_validate(self._object(answer) if isinstance(answer, httpx.Response) else answer)
        except ValidationError as error:
            raise self._unreadable() from error

    def _unreadable(self) -> Unavailable:
        return Unavailable(
            f"{self._name} answered with something that a gateway of this version would not say.",
            hint="Is this the address of a tdr gateway?",
        )


def _raise_failure(receipt: Receipt) -> NoReturn:
    failure = receipt.failure or Failure()
    message = failure.detail or f"The write {receipt.id} failed, and its receipt does not say why."
    if failure.error:
        raise ContractRefused(failure.error, failure.values, message)
    raise Conflict(message)


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _segment(dataset_id: DatasetId | str) -> str:
    return quote(str(dataset_id), safe="")


def _given(**query: object) -> dict[str, str]:
    return {name: str(value) for name, value in query.items() if value is not None}
