"""Bodies that are refused before they are used."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from api import strict
from registry.base.canonical import metadata_hash
from registry.base.primitives import Bytes32
from tests.api.world import OWNER, Gateway, manifest_of, transfer
from tests.fixtures.waiting import PATIENCE, eventually

Change = Callable[[dict[str, Any]], object]


def _set(*path: str, value: object) -> Change:
    def change(body: dict[str, Any]) -> None:
        for name in path[:-1]:
            body = body[name]
        body[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_set("colour", value="red"), "body.colour"),
        (_set("message", "colour", value="red"), "body.message.colour"),
        (_set("message", "contentRoot", value="0x01"), "body.message.contentRoot"),
        (_set("message", "contentRoot", value="0x" + "00" * 32), "body.message.contentRoot"),
        (_set("message", "owner", value=OWNER.address.hex()), "body.message.owner"),
        (_set("message", "owner", value=str(OWNER.address).swapcase().replace("0X", "0x")), "body.message.owner"),
        (_set("message", "deadline", value="4000000000"), "body.message.deadline"),
        (_set("message", "deadline", value=4e9), "body.message.deadline"),
        (_set("message", "deadline", value=-1), "body.message.deadline"),
        (_set("message", "deadline", value=2**64), "body.message.deadline"),
        (_set("message", "deadline", value=True), "body.message.deadline"),
        (_set("message", "uri", value=7), "body.message.uri"),
        (_set("message", "uri", value="é" * 257), "body.message.uri"),
        (_set("message", "sources", value=[{"datasetId": "0x" + "11" * 32}]), "body.message.sources.0.version"),
        (_set("message", "sources", value=None), "body.message.sources"),
        (lambda body: body["message"].pop("salt"), "body.message.salt"),
        (lambda body: body["message"].update(content_root=body["message"].pop("contentRoot")), "body.message"),
        (_set("message", "sources", value=[{"dataset_id": "0x" + "11" * 32, "version": 1}]), "body.message"),
        (_set("message", "sources", value=7), "body.message.sources"),
        (_set("message", value=[]), "body.message"),
        (_set("signature", value="0x"), "body.signature"),
        (_set("signature", value="0x" + "11" * 63), "body.signature"),
        (_set("signature", value="11" * 65), "body.signature"),
        (_set("signature", value=None), "body.signature"),
        (lambda body: body.pop("signature"), "body.signature"),
        (_set("metadata", value=[]), "body.metadata"),
        (_set("metadata", value={"name": "not what was signed"}), "body.metadata"),
        (_set("metadata", value={"number": 1e400}), None),
        (_set("manifest", value={}), "body.manifest"),
    ],
)
def test_a_field_that_is_wrong_is_named(gateway: Gateway, change: Change, field: str | None) -> None:
    body = gateway.body(gateway.registration())
    change(body)
    answer = gateway.http.post("/v1/datasets", content=json.dumps(body), headers={"content-type": "application/json"})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    if field is None:
        assert (answer.status_code, problem["type"]) == (400, "/problems/malformed-json")
    else:
        assert (answer.status_code, problem["type"]) == (422, "/problems/invalid-input")
        assert field in [error["field"] for error in problem["errors"]]


def test_a_body_that_is_no_object_is_refused(gateway: Gateway) -> None:
    assert gateway.http.post("/v1/datasets", json=[]).status_code == 422


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"",
        b"\xff{}",
        b'{"message": NaN}',
        b'{"signature": "0x", "signature": "0x"}',
        b"[" * 70 + b"]" * 70,
        b"[" * 30_000,
    ],
    ids=["cut short", "empty", "not UTF-8", "NaN", "a key twice", "deep", "very deep"],
)
def test_a_text_that_is_not_strict_json_is_refused(gateway: Gateway, text: bytes) -> None:
    answer = gateway.http.post("/v1/datasets", content=text, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-json")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_another_media_type_is_refused(gateway: Gateway, media_type: str) -> None:
    content = json.dumps(gateway.body(gateway.registration()))
    answer = gateway.http.post("/v1/datasets", content=content, headers={"content-type": media_type})
    assert answer.status_code == 415


def test_a_compressed_body_is_refused(gateway: Gateway) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = gateway.http.post("/v1/datasets", content=gzip.compress(b"{}"), headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/v1/datasets", strict.MAX_DOCUMENTS_BYTES), (f"/v1/datasets/0x{'11' * 32}/grants", strict.MAX_MESSAGE_BYTES)],
)
def test_a_body_that_says_it_is_huge_is_refused_unread(gateway: Gateway, path: str, limit: int) -> None:
    with _connection(gateway) as connection:
        connection.sendall(_head(path, f"Content-Length: {limit + 1}"))
        assert connection.recv(1024).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_huge_is_refused_while_it_comes(gateway: Gateway) -> None:
    with _connection(gateway) as connection:
        connection.sendall(_head(f"/v1/datasets/0x{'11' * 32}/grants", "Transfer-Encoding: chunked"))
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        connection.sendall(chunk * 3)
        assert connection.recv(1024).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_comes_too_slowly_is_refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict, "BODY_SECONDS", 0.2)
    with _connection(gateway) as connection:
        connection.sendall(_head("/v1/datasets", "Content-Length: 100") + b"{")
        assert connection.recv(1024).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/rpc", "/v1/datasets"])
def test_a_client_that_leaves_amid_the_body_is_no_fault_of_the_gateway(
    gateway: Gateway, path: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    being_read = threading.Event()
    read = strict.StrictRequest._read

    async def read_and_tell(request: strict.StrictRequest) -> bytes:
        being_read.set()
        return await read(request)

    monkeypatch.setattr(strict.StrictRequest, "_read", read_and_tell)
    before = _answers(gateway, path)
    with _connection(gateway) as connection:
        connection.sendall(_head(path, "Content-Length: 500") + b"{")
        assert being_read.wait(PATIENCE), "the body was not read"
    after = eventually(lambda: (counted := _answers(gateway, path)) != before and counted)
    assert after["400"] == before["400"] + 1
    assert after["500"] == before["500"] == 0
    assert not [record for record in caplog.records if record.exc_info or "Exception" in record.getMessage()]


def test_a_path_that_names_another_dataset_than_the_message_is_refused(gateway: Gateway) -> None:
    message = transfer(gateway.registration().dataset_id, Bytes32(b"\1" * 32), OWNER.address)
    other = gateway.registration().dataset_id
    answer = gateway.http.post(f"/v1/datasets/{other}/transfers", json=gateway.body(message))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.message.datasetId"


def test_a_manifest_of_another_root_is_refused(gateway: Gateway) -> None:
    manifest = json.loads(manifest_of(birds=b"1,2\n").to_json())
    answer = gateway.http.post("/v1/datasets", json=gateway.body(gateway.registration(), manifest=manifest))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.manifest"


def test_a_private_manifest_is_refused_and_its_salts_are_not_repeated(gateway: Gateway) -> None:
    """R10: salts protect guessable content; here they would be public."""
    private = manifest_of(birds=b"1,2\n").salted()
    message = gateway.registration(content_root=private.root)
    answer = gateway.http.post("/v1/datasets", json=gateway.body(message, manifest=json.loads(private.to_json())))
    assert answer.status_code == 422
    salt = private.entries[0].salt
    assert salt is not None
    assert salt.hex() not in answer.text


def test_large_metadata_is_refused(gateway: Gateway) -> None:
    metadata = {"text": "x" * 70_000}
    message = gateway.registration(metadata_hash=metadata_hash(metadata))
    answer = gateway.http.post("/v1/datasets", json=gateway.body(message, metadata=metadata))
    assert answer.status_code == 422


def _answers(gateway: Gateway, route: str) -> Counter[str]:
    """Return the number of answers of a route to POST, by status, from the metrics."""
    name = 'tdr_http_answers_total{method="POST",route="' + route + '",status="'
    lines = [line for line in gateway.http.get("/metrics").text.splitlines() if line.startswith(name)]
    return Counter({line[len(name) :][:3]: int(float(line.split()[-1])) for line in lines})


def _connection(gateway: Gateway) -> socket.socket:
    url = gateway.http.base_url
    return socket.create_connection((url.host, url.port), timeout=PATIENCE)


def _head(path: str, header: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{header}\r\n\r\n".encode()
