"""Every error of the gateway as an RFC 9457 problem, from one table of kinds.

A contract's error keeps its Solidity name and values; the gateway's own errors have kinds of their own. An answer
repeats only the names of a body's fields, never their values: they may be secrets that must not appear in a log.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from registry.base.errors import (
    Conflict,
    ContractRefused,
    InvalidInput,
    LimitReached,
    NotFound,
    RegistryError,
    Unavailable,
)
from registry.chain.client import RpcError, WrongChain
from registry.ethereum.refusals import UNNAMED, Refusal
from registry.storage import StorageFull

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: the last part of its type's URI, its HTTP status, and what it means."""

    slug: str
    status: int
    title: str
    meaning: str


MALFORMED = Kind("malformed-json", 400, "The body is not JSON", "The body is not JSON text in UTF-8, or is ambiguous.")
INVALID = Kind("invalid-input", 422, "The request is malformed", "`errors` names each field that is wrong.")
FORBIDDEN = Kind("forbidden", 403, "The contract refused: not the owner's signature", "")
NOT_FOUND = Kind("not-found", 404, "Not found", "It is not known here. It may exist elsewhere, or be in no block yet.")
METHOD = Kind("method-not-allowed", 405, "Method not allowed", "`Allow` names the methods of this path.")
SLOW = Kind("body-too-slow", 408, "The body came too slowly", "Send it again over a faster connection.")
CONFLICT = Kind("conflict", 409, "Conflict", "It contradicts the existing state.")
LARGE = Kind("body-too-large", 413, "The body is too large", "`detail` states the limit.")
MEDIA = Kind("unsupported-media-type", 415, "Unsupported media type", "Send application/json, not compressed.")
LIMIT = Kind(
    "limit-reached", 429, "A limit of this gateway is reached", "Nothing was accepted. Try again after `Retry-After`."
)
FAULT = Kind("internal-error", 500, "Internal error", "The error is in the log under the request's id.")
UNAVAILABLE = Kind("unavailable", 503, "Not available now", "Nothing was accepted. Try again after `Retry-After`.")
FULL = Kind("storage-full", 507, "No space is left", "Nothing was accepted; reads still work.")

KINDS: tuple[Kind, ...] = (
    MALFORMED, INVALID, NOT_FOUND, METHOD, SLOW, CONFLICT, LARGE, MEDIA, LIMIT, FAULT, UNAVAILABLE, FULL,
)  # fmt: skip


class FieldError(BaseModel):
    """An error in one field."""

    field: str = Field(description="Its path, with its parts joined by dots.", examples=["body.message.contentRoot"])
    detail: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A URI reference that names the kind.", examples=["/problems/head-mismatch"])
    title: str = Field(description="The kind, in words.")
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="What was wrong with this request.")
    instance: str = Field(description="The requested path.")
    hint: str | None = Field(None, description="What to do about it.")
    error: str | None = Field(None, description="The Solidity error's name, if a contract refused.")
    values: dict[str, Any] | None = Field(None, description="The Solidity error's values by name.")
    errors: list[FieldError] | None = Field(None, description="Each field that is wrong.")


class Refused(HTTPException):
    """A refusal by the gateway itself.

    Args:
        kind: Its kind.
        detail: What was wrong, as a sentence.
        hint: What to do about it.
        headers: Further headers of the answer.
        extra: Further members of the problem.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind = kind
        self.hint = hint
        self.extra = extra


def invalid(field: str, detail: str, *, hint: str = "") -> Refused:
    """Return the error for one wrong field."""
    return Refused(INVALID, f"{field}: {detail}", hint=hint, errors=[{"field": field, "detail": detail}])


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer with these kinds; 422, 500 and 503 are always among them."""
    by_status: dict[int, list[str]] = {}
    for kind in (*kinds, INVALID, FAULT, UNAVAILABLE):
        by_status.setdefault(kind.status, []).append(kind.title)
    return {
        status: {
            "model": Problem,
            "description": "; ".join(dict.fromkeys(titles)),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, titles in by_status.items()
    }


def explain(slug: str, refusals: Iterable[Refusal] = ()) -> str | None:
    """Return the meaning of a kind of problem as a line of text; None for an unknown kind.

    Args:
        slug: The last part of its type.
        refusals: The errors with which contracts may refuse.
    """
    for kind in KINDS:
        if kind.slug == slug:
            return f"{kind.title} ({kind.status}). {kind.meaning}\n"
    for refusal in refusals:
        if _slug(refusal.name) == slug:
            return (
                f"{refusal.name} ({refusal.status}). A contract refused: {refusal.sentence} {refusal.hint}".rstrip()
                + "\n"
            )
    return f"{UNNAMED} (422). A contract refused with an unknown error.\n" if slug == "reverted" else None


def install(app: FastAPI) -> None:
    """Install the handlers that answer every error of the app with a problem."""
    app.add_exception_handler(RegistryError, _on_registry_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_fault)


def respond(
    request: Request, kind: Kind, detail: str, headers: Mapping[str, str] | None = None, **extra: object
) -> Response:
    """Return the problem that answers a request."""
    problem = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": request.url.path,
        **{name: value for name, value in extra.items() if value},
    }
    return Response(orjson.dumps(problem), kind.status, dict(headers or {}), MEDIA_TYPE)


def fault(request: Request) -> Response:
    """Return the problem that answers a request after an internal error."""
    headers = {"Connection": "close"}  # The server ends the connection.
    return respond(request, FAULT, "Internal error.", headers, hint="Give the operator the X-Request-Id.")


def _on_registry_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RegistryError)  # noqa: S101  Starlette's signature is too wide.
    if isinstance(error, ContractRefused):
        status = error.status
        kind = Kind(_slug(error.name), status, "The contract refused", "")
        return respond(request, kind, error.message, hint=error.hint, error=error.name, values=error.values)
    if isinstance(error, Unavailable | RpcError | WrongChain):
        # An endpoint that suddenly serves another chain is the operator's problem, not a fault of the request.
        kind = FULL if isinstance(error, StorageFull) else UNAVAILABLE
        log.warning("unavailable", path=request.url.path, reason=error.message)
        retry_after = getattr(error, "retry_after", None) or RETRY_SECONDS
        headers = {"Retry-After": str(max(1, round(retry_after)))}
        return respond(request, kind, error.message, headers, hint=error.hint)
    if isinstance(error, LimitReached):
        headers = {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
        return respond(request, LIMIT, error.message, headers, hint=error.hint)
    kind = next(
        (
            kind
            for cls, kind in ((InvalidInput, INVALID), (NotFound, NOT_FOUND), (Conflict, CONFLICT))
            if isinstance(error, cls)
        ),
        FAULT,
    )
    return respond(request, kind, error.message, hint=error.hint)


def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error, Refused):
        return respond(request, error.kind, error.detail, error.headers, hint=error.hint, **error.extra)
    kind = {404: NOT_FOUND, 405: METHOD, 413: LARGE}.get(error.status_code)
    if kind is None:
        kind = Kind("http-error", error.status_code, error.detail, "")
    detail = f"There is no {request.method} {request.url.path} here." if kind in (NOT_FOUND, METHOD) else error.detail
    headers = {"Allow": _allowed(request)} if kind is METHOD else error.headers
    return respond(request, kind, detail, headers, hint="See /docs for the routes.")


def _allowed(request: Request) -> str:
    """Return the methods of all routes of a path; the router names only those of the first route."""
    methods: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.original_route.matches(request.scope)[0] is not Match.NONE:
            methods |= context.methods or set()
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = [{"field": _place(item["loc"]), "detail": _said(str(item["msg"]))} for item in error.errors()]
    detail = "; ".join(f"{item['field']}: {item['detail']}" for item in errors[:5])
    return respond(request, INVALID, detail, errors=errors[:50])


def _on_disconnect(request: Request, error: Exception) -> Response:
    # The client has left. Without an answer, this would be counted and logged as a fault of the gateway.
    return respond(request, MALFORMED, "The connection ended before the body was complete.")


def _on_fault(request: Request, error: Exception) -> Response:
    # Starlette raises the exception again after this answer, and the server logs it.
    return fault(request)


def _place(location: Sequence[object]) -> str:
    return ".".join(str(part) for part in location)[:200]


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


def _slug(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
