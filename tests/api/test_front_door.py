"""Every request passes the same front door: no route and no error answers before it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.app import bare_app, include_gateway, include_operations
from api.rooms.catalogue import GATEWAY_ROOMS
from api.rooms.room import GatewayRoom
from tests.api.world import OWNER, Gateway, open_node, running
from tests.fixtures.waiting import PATIENCE, undisturbed

ID = "7e57-1d"


def all_routes() -> list[tuple[str, str]]:
    """Return every method and path of a whole node's gateway, with a value for each parameter."""
    app = bare_app()
    include_gateway(app)
    include_operations(app)
    return sorted(set(_flat(app.routes)))


def _flat(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        inner: list[BaseRoute] = getattr(route, "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", []
        )
        if isinstance(route, APIRoute):
            path = re.sub(r"\{[^}]*\}", "00" * 32, route.path)
            yield from ((method, path) for method in route.methods or ())
        elif inner:
            yield from _flat(inner)


def counted(gateway: Gateway) -> float:
    """The number of requests that were counted."""
    lines = gateway.http.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("tdr_http_request_seconds_count"))


def test_the_route_table_is_that_of_the_gateway() -> None:
    assert {
        ("GET", "/v1/health"),
        ("POST", "/v1/datasets"),
        ("POST", "/rpc"),
        ("GET", "/v1/receipts/" + "00" * 32),
    } <= {*all_routes()}


@pytest.mark.parametrize(("method", "path"), all_routes(), ids=" ".join)
def test_every_route_answers_behind_the_front_door(gateway: Gateway, method: str, path: str) -> None:
    before = counted(gateway)
    content: dict[str, Any] = {"json": {}} if method == "POST" else {}
    answer = gateway.http.request(method, path, headers={"x-request-id": ID}, **content)
    assert answer.status_code != 500
    assert answer.headers["x-request-id"] == ID
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "cache-control" in answer.headers
    assert counted(gateway) == before + 2, "it and the question how many there are"


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("GET", "/nowhere", {}, b"", 404),
        ("DELETE", "/v1/datasets", {}, b"", 405),
        ("HEAD", "/v1/health", {}, b"", 200),
        ("HEAD", "/nowhere", {}, b"", 404),
        ("POST", "/v1/datasets", {"content-type": "application/json"}, b"{", 400),
        ("POST", "/v1/datasets", {"content-type": "text/plain"}, b"{}", 415),
        ("POST", "/v1/datasets", {"content-type": "application/json"}, b" " * (2**26), 413),
        ("GET", "/v1/datasets?limit=many", {}, b"", 422),
    ],
)
def test_what_no_route_answers_passes_it_too(
    gateway: Gateway, method: str, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = gateway.http.request(method, path, headers={"x-request-id": ID, **headers}, content=content or None)
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == ID
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_shortcut_answers_behind_it(gateway: Gateway) -> None:
    """The most frequent query is answered before routing, and after all other layers."""
    registration = gateway.registration(owner=OWNER.address)
    gateway.settle(registration)
    before = counted(gateway)
    answer = gateway.http.get(f"/v1/datasets/{registration.dataset_id}", headers={"x-request-id": ID})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, ID)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert counted(gateway) == before + 2
    path = f"/v1/datasets/{registration.dataset_id}"
    routed = gateway.http.get(path, params={"min_block": 0})
    assert {*routed.headers} == {*answer.headers}
    bodies = undisturbed(
        lambda: gateway.http.get(path, params={"min_block": 0}).json(), lambda: gateway.http.get(path).json()
    )
    assert bodies[0] == bodies[1]


def test_a_fault_is_answered_and_counted_behind_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A room from outside whose route fails: its answer has the request's id, and the log names both."""
    router = APIRouter()

    @router.get("/v1/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    rooms = (*GATEWAY_ROOMS, GatewayRoom("broken", (router,)))
    with open_node(tmp_path) as node, running(node, rooms) as gateway:
        answer = gateway.http.get("/v1/broken", headers={"x-request-id": ID})
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
        assert answer.headers["x-request-id"] == ID
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["connection"] == "close", "the server ends it: no request may be sent after this one"
        assert gateway.http.head("/v1/broken", headers={"x-request-id": ID}).headers["x-request-id"] == ID
        counts = 'tdr_http_answers_total{method="GET",route="/v1/broken",status="500"} 2.0'
        assert counts in gateway.http.get("/metrics").text
    assert "ZeroDivisionError" in caplog.text
    assert re.search(f"request .*{ID}.*route=/v1/broken.*status=500", capsys.readouterr().out)


def test_a_request_for_a_websocket_is_answered_as_any_other(gateway: Gateway) -> None:
    headers = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    before = counted(gateway)
    answer = gateway.http.get("/v1/health", headers={"x-request-id": ID, **headers})
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, ID)
    assert counted(gateway) == before + 2


def test_what_is_not_http_is_refused_before_it(gateway: Gateway) -> None:
    """The only answer without a request: there is no path to route, count or log."""
    before = counted(gateway)
    url = gateway.http.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=PATIENCE) as connection:
        connection.sendall(b"this is not HTTP\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert counted(gateway) == before + 1
