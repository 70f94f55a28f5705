"""Unread answers cost other clients nothing: large ones are held up to a limit, and finally dropped."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api import connection, outgoing
from api.connection import Connection
from api.listener import listen
from api.rooms.datasets import claims
from api.routes import rpc
from registry.manifest import Manifest
from registry.storage.errors import StorageUnavailable
from tests.api import world
from tests.api.world import Gateway, manifest_of, open_node, running
from tests.fixtures.waiting import PATIENCE, eventually

MANY_ZEROS = {"data": "0x620186a06000fd"}  # PUSH3 100,000 PUSH1 0 REVERT
CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [MANY_ZEROS, "latest"]}
LARGE = json.dumps([CALL] * 20).encode()
"""Asks for 4 MB."""
KEPT = 2**16
"""The bytes that the system should buffer for a connection; Linux buffers twice as many."""


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway whose connections have small buffers in the system, whatever its configuration."""

    def listening(host: str, port: int) -> socket.socket:
        listener = listen(host, port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KEPT)  # Connections have it from the listener.
        return listener

    monkeypatch.setattr(world, "listen", listening)
    with open_node(tmp_path) as node, running(node) as opened:
        yield opened


@contextmanager
def asked(gateway: Gateway, body: bytes = LARGE, times: int = 1) -> Iterator[socket.socket]:
    """A client that requests one or several large answers and does not read them yet."""
    url = gateway.http.base_url
    head = f"POST /rpc HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Type: application/json\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect((url.host, url.port))
        client.sendall((f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body) * times)
        yield client


def read_to_its_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(2**16), b""))


def published(gateway: Gateway) -> Manifest:
    manifest = manifest_of(birds=b"a,b\n1,2\n", trees=b"a\n")
    gateway.settle(gateway.registration(content_root=manifest.root), manifest=json.loads(manifest.to_json()))
    return manifest


def ask(gateway: Gateway) -> int:
    return gateway.http.post("/rpc", content=LARGE, headers={"Content-Type": "application/json"}).status_code


def test_a_large_answer_is_whole(gateway: Gateway) -> None:
    answers = gateway.http.post("/rpc", content=LARGE, headers={"Content-Type": "application/json"}).json()
    assert [answer["error"]["data"] for answer in answers] == ["0x" + "00" * 100_000] * 20


def test_answers_that_nobody_reads_are_held_up_to_a_limit(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MOST", 6 * 10**6)
    with asked(gateway):
        eventually(lambda: ask(gateway) == 503)
        refusal = gateway.http.post("/rpc", content=LARGE, headers={"Content-Type": "application/json"})
        assert (refusal.headers["content-type"], refusal.headers["retry-after"]) == ("application/problem+json", "5")
        assert refusal.json()["type"] == "/problems/unavailable"
        assert refusal.headers["x-request-id"]
        assert gateway.http.post("/rpc", json=CALL).status_code == 200, "small answers are sent"
    eventually(lambda: ask(gateway) == 200)


@pytest.mark.parametrize(
    "limits", [{"GRACE_SECONDS": 0.0, "BYTES_PER_SECOND": 2**40}, {"STALL_SECONDS": 0.05}], ids=["slow", "stalled"]
)
def test_who_reads_too_slowly_does_not_get_the_rest(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any]
) -> None:
    monkeypatch.setattr(outgoing, "MOST", 6 * 10**6)
    for name, value in limits.items():
        monkeypatch.setattr(outgoing, name, value)
    lost = threading.Event()
    monkeypatch.setattr(Connection, "connection_lost", _noting(lost, Connection.connection_lost))
    with asked(gateway) as client:
        assert client.recv(12) == b"HTTP/1.1 200"
        assert lost.wait(PATIENCE), "the connection goes on while the client reads nothing"
        monkeypatch.undo()
        assert ask(gateway) == 200
        assert len(read_to_its_end(client)) < 2 * 10**6, "half of the answer"


def _noting(lost: threading.Event, connection_lost: Callable[..., None]) -> Callable[..., None]:
    def noted(connection: Connection, error: Exception | None) -> None:
        connection_lost(connection, error)
        lost.set()

    return noted


def test_nothing_is_computed_for_a_client_that_has_not_taken_its_answers(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a hundred requests sent at once has an answer of one part: only at the next one's head would it wait."""
    begun: list[int] = []
    ended: list[int] = []
    compute, completed = rpc._answer, Connection.on_response_complete

    def counted(*arguments: Any) -> Any:
        begun.append(1)
        return compute(*arguments)

    def noted(connection: Connection) -> None:
        ended.append(1)
        completed(connection)

    monkeypatch.setattr(rpc, "_answer", counted)
    monkeypatch.setattr(Connection, "on_response_complete", noted)
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.05)
    lost = threading.Event()
    monkeypatch.setattr(Connection, "connection_lost", _noting(lost, Connection.connection_lost))
    zeros = {"data": "0x6175306000fd"}  # PUSH2 30,000 PUSH1 0 REVERT
    fits = CALL | {"params": [zeros, "latest"]}
    with asked(gateway, json.dumps(fits).encode(), 100):
        assert lost.wait(PATIENCE)
    assert 0 < len(begun) == len(ended) < 100


def test_a_manifest_is_read_in_parts(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PART", 7)
    manifest = published(gateway)
    answer = gateway.http.get(f"/v1/manifests/{manifest.root}")
    assert (answer.text, answer.headers["content-length"]) == (manifest.to_json(), str(len(manifest.to_json())))
    head = gateway.http.head(f"/v1/manifests/{manifest.root}")
    assert (head.status_code, head.headers["content-length"]) == (200, answer.headers["content-length"])


def test_a_database_that_cannot_be_read_is_told_before_a_manifest_begins(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = published(gateway)

    def unavailable(*arguments: Any) -> bytes:
        raise StorageUnavailable("The disk is gone.")

    monkeypatch.setattr(claims, "manifest_part", unavailable)
    answer = gateway.http.get(f"/v1/manifests/{manifest.root}")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")


def test_a_manifest_that_is_taken_back_meanwhile_is_not_given_to_its_end(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = published(gateway)
    monkeypatch.setattr(claims, "PART", 7)
    monkeypatch.setattr(claims, "manifest_part", lambda _connection, _root, start, count: b"7 bytes"[: 7 - start])
    url = gateway.http.base_url
    with socket.create_connection((url.host, url.port), timeout=PATIENCE) as client:
        client.sendall(f"GET /v1/manifests/{manifest.root} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n\r\n".encode())
        assert read_to_its_end(client).endswith(b"\r\n\r\n7 bytes")
