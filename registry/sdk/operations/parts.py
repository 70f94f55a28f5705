"""Parts of requests that many operations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from registry.sdk.exchange import Operation, Request, Response
from registry.sdk.models.result import Json, Result

AnyResult = TypeVar("AnyResult", bound=Result)


def segment(text: object) -> str:
    """Return a text as one segment of a path."""
    return quote(str(text), safe="")


def query_of(**parameters: object) -> dict[str, str]:
    """Return the parameters that are given; None leaves a parameter out."""
    return {name: str(value) for name, value in parameters.items() if value is not None}


def get(kind: type[AnyResult], path: str, **parameters: object) -> Operation[AnyResult]:
    """Return the operation that reads one result."""
    return Operation(Request("GET", path, query_of(**parameters)), model(kind))


def get_json(path: str, **parameters: object) -> Operation[Json]:
    """Return the operation that reads a JSON object as it is."""
    return Operation(Request("GET", path, query_of(**parameters)), Response.json)


def post(kind: type[AnyResult], path: str, body: Json) -> Operation[AnyResult]:
    """Return the operation that sends a JSON body and gives one result."""
    return Operation(Request("POST", path, body=body), model(kind))


def model(kind: type[AnyResult]) -> Callable[[Response], AnyResult]:
    """Return the parser of a result."""

    def parse(response: Response) -> AnyResult:
        document: dict[str, Any] = response.json()
        return kind.model_validate(document)

    return parse
