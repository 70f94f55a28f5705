"""JSON-RPC over HTTP, from one or several endpoints of the same chain.

An endpoint is not used before it has shown the right chain id and genesis block. It must show them again after a
failure and on each new connection, because another node may now answer there. An endpoint of another chain is an error
at once: skipping it silently would hide a mistake that can cost records.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import httpx
import orjson

from registry.base.errors import InvalidInput
from registry.base.tls import tls_context
from registry.base.urls import parse_http_url
from registry.chain.client import (
    SERVER_ERROR,
    ChainIdentity,
    ChainUnavailable,
    RpcError,
    WrongChain,
    identity_of,
    read_identity,
)

CALLS_A_POST = 100
MAX_ANSWER_BYTES = 256 * 2**20
MAX_RETRY_AFTER = 300.0
_IDENTITY_CALLS: tuple[tuple[str, Sequence[object]], ...] = (
    ("eth_chainId", ()),
    ("eth_getBlockByNumber", ("0x0", False)),
)


class Fault(StrEnum):
    """The kinds of endpoint failures, as counted in the metrics."""

    DISCONNECTED = "disconnected"
    TIMEOUT = "timeout"
    BUSY = "busy"
    HTTP_STATUS = "http_status"
    MALFORMED = "malformed"
    WRONG_ID = "wrong_id"
    WRONG_CHAIN = "wrong_chain"


class _EndpointError(Exception):
    """One endpoint gave no usable answer."""

    def __init__(self, fault: Fault, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason
        self.retry_after = retry_after


@dataclass(slots=True)
class _Endpoint:
    url: str
    name: str  # Without path and query, which may contain an access key.
    trusted: bool = False
    busy_until: float = 0.0  # time.monotonic()


def _ignore(fault: Fault) -> None:
    return None


class RpcChain:
    """A chain reached over HTTP. Safe to use from several threads.

    A request that fails on one endpoint is sent to the next. All requests are safe to repeat: they only read, or carry
    a signed transaction, which takes effect once.

    Args:
        urls: The endpoints, the preferred one first; the last one that worked is used until it fails.
        expected: The chain they must serve; None: the first answer decides.
        timeout: Seconds for one request to one endpoint, from the first byte sent to the last received.
        observe: Called with each fault of an endpoint, for counting.

    Raises:
        InvalidInput: No URL was given, or a URL is not http or https.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        expected: ChainIdentity | None = None,
        timeout: float = 15.0,
        observe: Callable[[Fault], None] = _ignore,
    ) -> None:
        if not urls:
            raise InvalidInput("At least one URL of a JSON-RPC endpoint is required.")
        self._endpoints = [_Endpoint(url, _name(url)) for url in urls]
        self._expected = expected
        self._timeout = timeout
        self._observe = observe
        self._preferred = 0
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._client = httpx.Client(
            headers={"content-type": "application/json", "accept": "application/json"},
            timeout=timeout,
            verify=tls_context(),
        )

    @property
    def name(self) -> str:
        """Return the endpoints for people, without passwords, paths and queries, which may contain access keys."""
        return ", ".join(endpoint.name for endpoint in self._endpoints)

    @property
    def identity(self) -> ChainIdentity:
        """Return the chain that the endpoints serve; ask if it is not known yet. Raises as `request` does."""
        return self._expected or identity_of(self)

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        """Send one request; see `registry.chain.client.Chain`."""
        (answer,) = self._exchange([(method, params)])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        """Send several requests, a hundred per POST; see `registry.chain.client.Chain`."""
        answers: list[Any | RpcError] = []
        for start in range(0, len(calls), CALLS_A_POST):
            answers += self._exchange(calls[start : start + CALLS_A_POST])
        return answers

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _exchange(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        first = self._preferred
        failures: list[tuple[_Endpoint, _EndpointError]] = []
        for offset in range(len(self._endpoints)):
            index = (first + offset) % len(self._endpoints)
            endpoint = self._endpoints[index]
            try:
                self._refuse_busy(endpoint)
                if not endpoint.trusted:
                    self._check(endpoint)
                answers, reconnected = self._post(endpoint, calls)
                if reconnected:
                    self._check(endpoint)
            except _EndpointError as failure:
                self._note(endpoint, failure)
                failures.append((endpoint, failure))
                continue
            self._preferred = index
            return answers
        raise _unavailable(failures)

    def _refuse_busy(self, endpoint: _Endpoint) -> None:
        remaining = endpoint.busy_until - time.monotonic()
        if remaining > 0:
            raise _EndpointError(Fault.BUSY, f"asked for no requests for another {remaining:.0f} s", remaining)

    def _note(self, endpoint: _Endpoint, failure: _EndpointError) -> None:
        self._observe(failure.fault)
        if failure.fault is Fault.BUSY:
            if failure.retry_after is not None:
                endpoint.busy_until = time.monotonic() + failure.retry_after
        else:
            # Another node may answer there next.
            endpoint.trusted = False

    def _check(self, endpoint: _Endpoint) -> None:
        answers, _ = self._post(endpoint, _IDENTITY_CALLS)
        try:
            for answer in answers:
                if isinstance(answer, RpcError):
                    raise _EndpointError(Fault.MALFORMED, f"does not identify its chain: {answer.message}")
            identity = read_identity(*answers)
        except ChainUnavailable as error:
            raise _EndpointError(Fault.MALFORMED, "does not identify its chain") from error
        with self._lock:
            if self._expected is None:
                self._expected = identity
        if identity != self._expected:
            self._observe(Fault.WRONG_CHAIN)
            raise WrongChain(
                f"The endpoint {endpoint.name} serves {identity}; expected {self._expected}.",
                hint="Remove or correct the endpoint; data of two chains must not be mixed.",
            )
        endpoint.trusted = True

    def _post(
        self, endpoint: _Endpoint, calls: Sequence[tuple[str, Sequence[object]]]
    ) -> tuple[list[Any | RpcError], bool]:
        """Return the answers, and whether a new connection was opened for them."""
        requests = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params} for method, params in calls
        ]
        body, reconnected = self._fetch(endpoint, orjson.dumps(requests[0] if len(requests) == 1 else requests))
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _EndpointError(Fault.MALFORMED, "returned invalid JSON") from error
        if len(requests) == 1:
            return [_result(answer, requests[0]["id"])], reconnected
        if isinstance(answer, dict) and "error" in answer:
            # The node refused the whole batch, for example because it is too long.
            return [_error(answer)] * len(requests), reconnected
        if not isinstance(answer, list):
            raise _EndpointError(Fault.MALFORMED, "answered a batch with something other than a list")
        by_id = {item.get("id"): item for item in answer if isinstance(item, dict) and _hashable_id(item)}
        return [_result(by_id.get(request["id"]), request["id"]) for request in requests], reconnected

    def _fetch(self, endpoint: _Endpoint, content: bytes) -> tuple[bytes, bool]:
        deadline = time.monotonic() + self._timeout
        reconnected = False

        def trace(event: str, details: dict[str, Any]) -> None:
            nonlocal reconnected
            reconnected = reconnected or event == "connection.connect_tcp.complete"

        try:
            with self._client.stream("POST", endpoint.url, content=content, extensions={"trace": trace}) as response:
                if response.status_code in (429, 503):
                    raise _EndpointError(Fault.BUSY, f"is busy (HTTP {response.status_code})", _retry_after(response))
                received = bytearray()
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > MAX_ANSWER_BYTES:
                        raise _EndpointError(Fault.MALFORMED, f"returned more than {MAX_ANSWER_BYTES} bytes")
                    if time.monotonic() > deadline:
                        raise _EndpointError(Fault.TIMEOUT, f"did not finish its answer within {self._timeout:g} s")
        except httpx.TimeoutException as error:
            raise _EndpointError(Fault.TIMEOUT, f"did not answer within {self._timeout:g} s") from error
        except httpx.TransportError as error:
            raise _EndpointError(
                Fault.DISCONNECTED, f"is unreachable or closed the connection ({type(error).__name__})"
            ) from error
        except httpx.DecodingError as error:
            raise _EndpointError(Fault.MALFORMED, "returned an invalid content encoding") from error
        if response.status_code != 200 and not _is_rpc_error(received):
            path_hint = " (check its path: a gateway's address ends in /rpc)" if response.status_code == 404 else ""
            raise _EndpointError(Fault.HTTP_STATUS, f"returned HTTP status {response.status_code}{path_hint}")
        return bytes(received), reconnected


def _name(url: str) -> str:
    parts = parse_http_url(url, "A JSON-RPC endpoint's")
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def _hashable_id(item: dict[str, Any]) -> bool:
    # True == 1 in Python, and an id may be anything in JSON.
    return type(item.get("id")) is int


def _result(answer: Any, expected_id: object) -> Any | RpcError:
    if not isinstance(answer, dict):
        raise _EndpointError(Fault.MALFORMED, "did not answer a request")
    if "error" in answer and answer["error"] is not None and answer.get("id") in (expected_id, None):
        return _error(answer)
    if type(answer.get("id")) is not int or answer["id"] != expected_id:
        raise _EndpointError(Fault.WRONG_ID, "answered a different request")
    if "result" not in answer:
        raise _EndpointError(Fault.MALFORMED, "returned neither a result nor an error")
    return answer["result"]


def _error(answer: dict[str, Any]) -> RpcError:
    error = answer["error"]
    if not isinstance(error, dict):
        return RpcError(SERVER_ERROR, str(error)[:1000])
    code = error.get("code")
    return RpcError(
        code if isinstance(code, int) else SERVER_ERROR, str(error.get("message", ""))[:1000], error.get("data")
    )


def _is_rpc_error(body: bytes | bytearray) -> bool:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and answer.get("jsonrpc") == "2.0" and isinstance(answer.get("error"), dict)


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header, in either of its two forms (RFC 9110, 10.2.3)."""
    header = response.headers.get("retry-after", "").strip()
    if header.isdigit():
        return min(float(header), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _unavailable(failures: Sequence[tuple[_Endpoint, _EndpointError]]) -> ChainUnavailable:
    reasons = "; ".join(f"{endpoint.name} {failure.reason}" for endpoint, failure in failures)
    waits = [failure.retry_after for _, failure in failures if failure.retry_after is not None]
    return ChainUnavailable(
        f"No JSON-RPC endpoint gave a usable answer: {reasons}.",
        hint="Check that the node is running and reachable from here.",
        retry_after=min(waits) if waits else None,
    )
