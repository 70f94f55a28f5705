"""Requests of strangers do not crowd out others: limits while parsing, separate threads, one task for all that wait."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import tracemalloc
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import deps, strict
from api.deps import HEAVY, HEAVY_WAITING
from api.heights import watch_of
from api.rooms.datasets.bodies import MAX_METADATA_BYTES
from registry.base.primitives import Bytes32
from registry.manifest import Entry, Manifest
from registry.manifest.cache import ManifestCache
from tests.api.world import ANALYST, FAR, Gateway, grant, revocation
from tests.fixtures.waiting import PATIENCE, eventually


def test_a_body_of_very_many_values_is_refused_before_one_is_made(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: 32 MiB of `{}` are eleven million objects."""
    parsed: list[int] = []
    read_json = strict.read_json

    def counted(body: bytes) -> object:
        parsed.append(len(body))
        return read_json(body)

    monkeypatch.setattr(strict, "read_json", counted)
    body = b'{"message":{},"signature":"0x","metadata":{"a":[' + b"{}," * 11_000_000 + b"{}]}}"
    answer = gateway.http.post("/v1/datasets", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, "values" in answer.json()["detail"]) == (413, True)
    assert parsed == []


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (b"1", 1),
        (b"[]", 2),
        (b'{"a":[1,2,{"b":null}]}', 6),
        (b'"' + b"," * 50 + b'"', 1),
        (b"[[[[]]]]", 5),
        (rb'["\\",1,"\",[{",2,"\\\",[{",3]', 7),
    ],
)
def test_values_are_counted_outside_of_strings_wherever_the_text_is_cut(text: bytes, most: int) -> None:
    for size in range(1, len(text) + 1):
        values = strict.Values()
        for start in range(0, len(text), size):
            values.add(text[start : start + size])
        assert values.count == most


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
        max_leaves=20,
    )
)
def test_values_are_never_counted_too_few(value: object) -> None:
    values = strict.Values()
    values.add(json.dumps(value).encode())
    assert values.count >= _values_in(value)


def _values_in(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_values_in, inner))


@pytest.mark.parametrize("inside", [b",", b"\\n,", b"x"], ids=["commas", "escapes", "letters"])
def test_a_long_string_takes_no_memory_to_look_through(inside: bytes) -> None:
    """A regular expression once stored a backtracking point for each byte: 2.8 GB for 24 MiB of commas."""
    part = inside * (65_536 // len(inside))
    values = strict.Values()
    values.add(b'["')
    tracemalloc.start()
    try:
        for _ in range(100):
            values.add(part)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert values.count == 2
    assert most < 50 * len(part)


def test_a_body_with_a_very_long_string_is_refused_and_metadata_of_the_largest_size_are_not(gateway: Gateway) -> None:
    """In any escaping: each byte of the metadata may be sent as six."""
    for character in "a", '"', "\\":
        answer = gateway.http.post("/v1/datasets", json={"metadata": {"name": character * 2**20}})
        assert (answer.status_code, "string" in answer.json()["detail"]) == (413, True)
    metadata = {"name": "a" * (MAX_METADATA_BYTES - len('{"name":""}'))}
    escaped = json.dumps({"metadata": metadata}).replace("a" * 9, "\\u0061" * 9).encode()
    answer = gateway.http.post("/v1/datasets", content=escaped, headers={"Content-Type": "application/json"})
    assert (answer.status_code, len(escaped) > 5 * MAX_METADATA_BYTES) == (422, True)


def test_a_body_of_too_many_values_is_not_kept_while_the_rest_of_it_comes(gateway: Gateway) -> None:
    body = b'{"metadata":[' + b"{}," * (10 * 2**20) + b"{}]}"
    url = gateway.http.base_url
    head = f"POST /v1/datasets HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((url.host, url.port), timeout=PATIENCE) as client:
        tracemalloc.start()
        try:
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
            client.sendall(body)
            answer = client.recv(1024)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert most < len(body) // 2


def test_the_largest_manifest_of_a_body_is_within_the_limit() -> None:
    entry = b'{"path":"a","sha256":"' + b"0" * 64 + b'","size":1},'
    values = strict.Values()
    for _ in range(strict.MAX_DOCUMENTS_BYTES // len(entry) // 1000):
        values.add(entry * 1000)
    assert values.count < strict.MAX_VALUES


def test_few_large_bodies_are_received_at_once_and_small_ones_still(gateway: Gateway) -> None:
    """Slow senders hold no more than a few bodies in memory; a message does not count as a large body."""
    url = gateway.http.base_url
    senders = []
    for _ in range(strict.LARGE_AT_ONCE):
        sender = socket.create_connection((url.host, url.port))
        head = f"POST /v1/datasets HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Type: application/json\r\n"
        sender.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + b" " * 500_000)
        senders.append(sender)
    try:
        eventually(lambda: strict._receiving._count == strict.LARGE_AT_ONCE)
        body = b" " * 100_000 + b"{}"
        answer = gateway.http.post("/v1/datasets", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert gateway.send(gateway.registration()).status_code == 202
    finally:
        for sender in senders:
            sender.close()
    eventually(lambda: strict._receiving._count == 0)


def test_exports_take_no_thread_from_writes_and_what_nobody_waits_for_is_not_made(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A6: two exports run at once, a few wait, others are refused; those whose client has left are not started."""
    dataset_id = gateway.register()
    begun, may_end = threading.Semaphore(0), threading.Event()
    calls: list[int] = []

    def slow(*arguments: Any, **options: Any) -> bytes:
        calls.append(1)
        begun.release()
        assert may_end.wait(PATIENCE)
        return b"{}"

    monkeypatch.setattr("api.rooms.datasets.evidence.export_bundle", slow)
    url = gateway.http.base_url
    request = f"GET /v1/datasets/{dataset_id}/evidence HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n\r\n".encode()
    clients = [socket.create_connection((url.host, url.port)) for _ in range(HEAVY + HEAVY_WAITING)]
    try:
        for client in clients[:HEAVY]:
            client.sendall(request)
        for _ in range(HEAVY):
            assert begun.acquire(timeout=PATIENCE)
        for client in clients[HEAVY:]:
            client.sendall(request)
        eventually(lambda: deps._heavy.statistics().tasks_waiting == HEAVY_WAITING)
        assert gateway.http.get(f"/v1/datasets/{dataset_id}/evidence").status_code == 503
        assert gateway.send(gateway.registration()).status_code == 202
        assert gateway.http.get(f"/v1/datasets/{dataset_id}").status_code == 200
        for client in clients[HEAVY:]:
            client.close()
        eventually(lambda: deps._heavy.statistics().tasks_waiting == 0)
        may_end.set()
        assert gateway.http.get(f"/v1/datasets/{dataset_id}/evidence").status_code == 200
    finally:
        may_end.set()
        for client in clients:
            client.close()
    assert len(calls) == HEAVY + 1


def test_a_thousand_who_wait_for_a_block_cost_one_look(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A9."""
    monkeypatch.setattr("api.reads.WAIT_SECONDS", 1.0)
    height = gateway.http.get("/v1/datasets").json()["asOfBlock"]
    watch = watch_of(gateway.node)
    before, waits = watch.looks, 300

    async def wait_all() -> list[int]:
        limits = httpx.Limits(max_connections=waits)
        async with httpx.AsyncClient(base_url=gateway.http.base_url, limits=limits, timeout=PATIENCE) as http:
            asked = [http.get("/v1/datasets", params={"min_block": height + 50}) for _ in range(waits)]
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert set(asyncio.run(wait_all())) == {503}
    assert watch.looks - before < waits


@pytest.mark.parametrize("height", [9223372036854775806, 10**9])
def test_a_block_that_is_none_of_this_chain_soon_is_refused_at_once(gateway: Gateway, height: int) -> None:
    """U20."""
    for path in ("/v1/datasets", f"/v1/datasets/{gateway.register()}"):
        answer = gateway.http.get(path, params={"min_block": height})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.min_block")


def test_what_a_waited_receipt_says_every_read_that_follows_knows(gateway: Gateway) -> None:
    """U7: after a mined revocation no answer states that access is allowed."""
    dataset_id = gateway.register()
    query = {"address": str(ANALYST.address), "at": FAR - 1}
    for epoch in range(0, 8, 2):
        for message, allowed in ((grant(dataset_id, epoch), True), (revocation(dataset_id, epoch + 1), False)):
            sent = gateway.send(message)
            receipt = gateway.http.get(sent.headers["location"], params={"wait": 30}).json()
            assert receipt["status"] in ("mined", "final")
            answer = gateway.http.get(f"/v1/datasets/{dataset_id}/access", params=query).json()
            assert (answer["allowed"], answer["asOfBlock"] >= receipt["blockNumber"]) == (allowed, True)


def test_a_manifest_is_read_once_and_the_cache_is_bounded() -> None:
    def manifest(name: str, files: int) -> Manifest:
        return Manifest.of([Entry(f"{name}{number}", Bytes32(bytes([number] * 32)), 1) for number in range(files)])

    cache = ManifestCache(max_bytes=1_000)
    first, second = manifest("a", 3), manifest("b", 3)
    one = cache.get(first.root, lambda: first.to_json().encode())
    for _ in range(3):
        assert cache.get(first.root, lambda: first.to_json().encode()) is one
    assert cache.read == 1
    two = cache.get(second.root, lambda: second.to_json().encode())
    assert cache.get(first.root, lambda: None) is None, "it made room for the second"
    assert cache.get(second.root, lambda: None) is two
