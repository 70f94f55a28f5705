"""Every path of the gateway and the witness answers HEAD like GET without the body, and names its methods."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from api.app import bare_app, include_gateway, include_operations
from api.witness import router as witness_router
from tests.api.world import Gateway
from tests.fixtures.waiting import PATIENCE
from tests.witness.serving import serving, witness_of
from tests.witness.simulator import SimulatedChain

VALUES = {
    "root": "0x" + "11" * 32,
    "metadata_hash": "0x" + "11" * 32,
    "address": "0x" + "11" * 20,
    "receipt_id": "11" * 16,
    "slug": "conflict",
    "height": "1",
    "digest": "11" * 32,
}
OF_THE_MOMENT = {"date", "x-request-id", "content-disposition", "tdr-as-of-block"}
MADE_ANEW = {
    "/metrics",
    "/v1/health",
    "/v1/datasets/{dataset_id}/evidence",
    "/v1/datasets/{dataset_id}/certificate.pdf",
}
"""Paths whose answers contain the time, so that two answers may differ in length."""


def gateway_app() -> FastAPI:
    app = bare_app()
    include_gateway(app)
    include_operations(app)
    return app


def witness_app() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(witness_router)
    return app


def methods_by_path(app: FastAPI) -> dict[str, set[str]]:
    """Return the methods of every path of an app's whole route table, documented or not."""
    found: dict[str, set[str]] = {}
    for context in iter_route_contexts(app.routes):
        found.setdefault(str(context.path), set()).update(context.methods or ())
    return found


OF_GATEWAY, OF_WITNESS = methods_by_path(gateway_app()), methods_by_path(witness_app())


def filled(path: str, dataset_id: str = "0x" + "12" * 32) -> str:
    for name, value in (VALUES | {"dataset_id": dataset_id}).items():
        path = path.replace("{" + name + "}", value)
    return path


def with_get(paths: dict[str, set[str]]) -> list[str]:
    return [path for path, methods in paths.items() if "GET" in methods]


def assert_head_is_get(http: httpx.Client, place: str, leaving_out: set[str]) -> None:
    def told(answer: httpx.Response) -> tuple[int, dict[str, str]]:
        return answer.status_code, {k: v for k, v in answer.headers.items() if k not in leaving_out}

    for _ in range(20):
        before, head, after = told(http.get(place)), told(http.head(place)), told(http.get(place))
        if before == after:  # Else the node went on meanwhile: it signed its first checkpoint, say.
            break
    assert head == before == after


def assert_allow_is_complete(http: httpx.Client, place: str, methods: set[str]) -> None:
    answer = http.request("TRACE", place)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set())


def bytes_after_head(url: str, place: str) -> bytes:
    """Return what follows the headers of an answer to HEAD until the server closes; httpx would hide it."""
    address = urlsplit(url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(f"HEAD {place} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while more := connection.recv(65_536):
            received += more
    return received.partition(b"\r\n\r\n")[2]


@pytest.fixture(scope="module")
def dataset_id(gateway: Gateway) -> str:
    return str(gateway.register())


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    chain = SimulatedChain()
    chain.grow(0, 10)
    with (
        serving(witness_of(tmp_path_factory.mktemp("witness"), chain)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.mark.parametrize("path", with_get(OF_GATEWAY))
def test_head_is_get_without_a_body(gateway: Gateway, dataset_id: str, path: str) -> None:
    place = filled(path, dataset_id)
    lengths = {"content-length"} if path in MADE_ANEW else set()
    assert_head_is_get(gateway.http, place, OF_THE_MOMENT | lengths)
    assert bytes_after_head(str(gateway.http.base_url), place) == b""


@pytest.mark.parametrize("path", OF_GATEWAY)
def test_allow_names_every_method_of_a_path(gateway: Gateway, path: str) -> None:
    assert_allow_is_complete(gateway.http, filled(path), OF_GATEWAY[path])


@pytest.mark.parametrize("path", with_get(OF_WITNESS))
def test_the_witness_answers_head_too(witness: httpx.Client, path: str) -> None:
    assert_head_is_get(witness, path, OF_THE_MOMENT)
    assert bytes_after_head(str(witness.base_url), path) == b""


@pytest.mark.parametrize("path", OF_WITNESS)
def test_the_witness_names_every_method_of_a_path(witness: httpx.Client, path: str) -> None:
    assert_allow_is_complete(witness, path, OF_WITNESS[path])
