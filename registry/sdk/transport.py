"""How requests travel by httpx, and its errors and the gateway's problems as errors of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from registry.base.errors import (
    Conflict,
    ContractRefused,
    InvalidInput,
    LimitReached,
    NotFound,
    RegistryError,
    Unavailable,
)
from registry.base.tls import tls_context
from registry.base.urls import parse_http_url
from registry.sdk.exchange import Request, Response, invalid_response

DEFAULT_URL: Final = "http://127.0.0.1:8000"
TIMEOUT_SECONDS: Final = 20.0
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
SENDING_ERRORS: Final = (httpx.RequestError, UnicodeEncodeError)
"""What httpx raises instead of giving a response."""

_ERRORS: Final[Mapping[int, type[RegistryError]]] = {404: NotFound, 409: Conflict}
_RETRY: Final = frozenset({429, 502, 503, 504})
_LIMIT_REACHED: Final = "/problems/limit-reached"
_MAX_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A gateway's address.

    Args:
        url: The URL, without a slash at the end.
        name: The URL as errors show it, without a password.
        is_local: Whether it is on this machine.
    """

    url: str
    name: str
    is_local: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address in a URL.

        Raises:
            InvalidInput: It is not an http or https URL, or it has a query or fragment.
        """
        url = url.rstrip("/")
        parts = parse_http_url(url, "A gateway's")
        host = parts.netloc.rpartition("@")[2]
        if parts.query or parts.fragment:  # Neither is shown, because it may be a secret.
            raise InvalidInput(
                f"The gateway's address at {host} has a query or a fragment, to which no path can be added.",
                hint="Give only the scheme, the host and, if needed, a port and a path.",
            )
        name = parts._replace(netloc=host).geturl()
        return cls(url, name, parts.hostname in LOOPBACK)

    @property
    def rpc_url(self) -> str:
        """The URL of the chain's JSON-RPC, read-only."""
        return f"{self.url}/rpc"

    def client_options(self, timeout: float) -> dict[str, Any]:
        """Return the options of an httpx client of this gateway."""
        return {
            "base_url": self.url,
            "timeout": timeout,
            "verify": tls_context(),
            "headers": {"accept": "application/json"},
            "trust_env": not self.is_local,  # A proxy of the environment leads to other machines.
        }


def arguments_of(request: Request) -> dict[str, Any]:
    """Return a request as the arguments of the `request` method of an httpx client."""
    return {
        "method": request.method,
        "url": request.path,
        "params": {name: list(value) if isinstance(value, tuple) else value for name, value in request.query.items()},
        "json": request.body,
        "headers": dict(request.headers),
        "timeout": httpx.USE_CLIENT_DEFAULT if request.timeout is None else request.timeout,
    }


def outcome_of(response: httpx.Response, place: Place) -> Response | RegistryError:
    """Return a successful answer, or the error in another answer."""
    if response.is_success:
        return Response(response.content, {name.lower(): value for name, value in response.headers.items()})
    return _problem(response, place)


def failure_of(error: httpx.RequestError | UnicodeEncodeError, place: Place) -> RegistryError:
    """Return the error for a request without an answer."""
    failure: RegistryError
    match error:
        case UnicodeEncodeError():
            failure = InvalidInput(
                f"A value for the gateway is not Unicode text: {str(error.object)[:80]!r}.", hint="Give it in UTF-8."
            )
        case httpx.ConnectError():
            failure = Unavailable(
                f"No gateway answers at {place.name}.",
                hint="Start a node with `tdr up`, or name another gateway with --gateway or TDR_GATEWAY.",
            )
        case httpx.TransportError():
            failure = Unavailable(
                f"The gateway at {place.name} gave no answer ({type(error).__name__}).", hint="Try again."
            )
        case _:
            failure = invalid_response()
    failure.__cause__ = error
    return failure


def _problem(response: httpx.Response, place: Place) -> RegistryError:
    problem = _object(response.content)
    message = problem.get("detail")
    if not isinstance(message, str):
        return Unavailable(
            f"{place.name} answered with HTTP status {response.status_code} and no problem that a gateway describes.",
            hint="Is this the address of a tdr gateway?",
        )
    hint = problem.get("hint")
    hint = hint if isinstance(hint, str) else ""
    faults = [fault for fault in _list(problem.get("errors")) if isinstance(fault, dict)]
    details = "; ".join(f"{fault.get('field')}: {fault.get('detail')}" for fault in faults)
    if details not in message:
        message += f" {details}"
    if isinstance(problem.get("error"), str):
        values = problem.get("values")
        return ContractRefused(problem["error"], values if isinstance(values, dict) else {}, message, hint=hint)
    if candidates := _list(problem.get("candidates")):
        hint = f"{hint} It may be: {', '.join(map(str, candidates[:_MAX_CANDIDATES]))}.".lstrip()
    if problem.get("type") == _LIMIT_REACHED:
        return LimitReached(message, hint=hint, retry_after=_seconds(response.headers.get("retry-after", "")))
    status = response.status_code
    kind = _ERRORS.get(status, Unavailable if status in _RETRY or status >= 500 else InvalidInput)
    return kind(message, hint=hint)


def _object(content: bytes) -> dict[str, Any]:
    """Return a JSON object; empty for anything else."""
    try:
        return Response(content).json()
    except ValueError:
        return {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0
