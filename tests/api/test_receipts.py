"""Receipts over HTTP: one answer per key, and waiting without blocking others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from coincurve import PrivateKey
from coincurve._libsecp256k1 import ffi

from api.deps import READERS
from registry.base.canonical import metadata_hash
from registry.ethereum.eip712 import Domain
from registry.relay.receipts import Status
from registry.rooms.datasets.messages import Registration
from tests.api.world import OWNER, STRANGER, Gateway, manifest_of, open_node, running
from tests.fixtures.waiting import PATIENCE


def test_a_write_is_answered_with_a_receipt_that_becomes_final(gateway: Gateway) -> None:
    message = gateway.registration()
    answer = gateway.send(message)
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "1"
    receipt = answer.json()
    assert answer.headers["location"] == f"/v1/receipts/{receipt['id']}"
    assert receipt["action"] == "register"
    assert receipt["subject"] == {"kind": "dataset", "id": str(message.dataset_id)}
    assert receipt["signer"] == str(OWNER.address)
    final = gateway.http.get(answer.headers["location"], params={"wait": 30, "until": "final"}).json()
    assert final["status"] == "final"
    on_chain = gateway.node.chain.request("eth_getTransactionReceipt", [final["transactionHash"]])
    assert (on_chain["status"], int(on_chain["blockNumber"], 16)) == ("0x1", final["blockNumber"])


def test_fifty_requests_at_once_with_one_key_have_one_receipt(gateway: Gateway) -> None:
    """R6: one idempotency key, one answer."""
    body = gateway.body(gateway.registration())

    async def send_all() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=gateway.http.base_url, timeout=PATIENCE) as client:
            posts = (client.post("/v1/datasets", json=body, headers={"idempotency-key": "fifty"}) for _ in range(50))
            return list(await asyncio.gather(*posts))

    answers = asyncio.run(send_all())
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_key_used_for_another_message_is_refused(gateway: Gateway) -> None:
    """R6: the same key with another body is a conflict."""
    headers = {"idempotency-key": "once"}
    first = gateway.http.post("/v1/datasets", json=gateway.body(gateway.registration()), headers=headers)
    other = gateway.http.post("/v1/datasets", json=gateway.body(gateway.registration()), headers=headers)
    assert (first.status_code, other.status_code) == (202, 409)
    assert other.json()["type"] == "/problems/conflict"


def test_a_strangers_key_is_not_in_the_way(gateway: Gateway) -> None:
    """R9: a client's keys do not affect other clients."""
    headers = {"idempotency-key": "mine"}
    mine = gateway.http.post("/v1/datasets", json=gateway.body(gateway.registration()), headers=headers)
    message = gateway.registration(owner=STRANGER.address)
    theirs = gateway.http.post("/v1/datasets", json=gateway.body(message, STRANGER), headers=headers)
    assert (mine.status_code, theirs.status_code) == (202, 202)
    assert mine.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
def test_a_malformed_key_is_refused(gateway: Gateway, key: str) -> None:
    answer = gateway.http.post(
        "/v1/datasets", json=gateway.body(gateway.registration()), headers={"idempotency-key": key}
    )
    assert answer.status_code == 422


def test_what_the_owner_has_done_already_has_the_receipt_that_it_has(gateway: Gateway) -> None:
    message = gateway.registration()
    first = gateway.send(message).json()
    gateway.http.get(f"/v1/receipts/{first['id']}", params={"wait": 30})
    again = gateway.send(message.model_copy(update={"deadline": message.deadline + 1}))
    assert again.status_code == 202
    receipt = again.json()
    assert receipt["id"] == first["id"]
    assert receipt["status"] in (Status.MINED, Status.FINAL)


def test_an_unknown_receipt_is_not_found(gateway: Gateway) -> None:
    answer = gateway.http.get(f"/v1/receipts/{'0' * 32}", params={"wait": 60})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("query", [{"wait": "61"}, {"wait": "-1"}, {"wait": "nan"}, {"until": "sent"}, {"wiat": "1"}])
def test_a_wait_that_cannot_be_is_refused(gateway: Gateway, query: dict[str, str]) -> None:
    assert gateway.http.get(f"/v1/receipts/{'0' * 32}", params=query).status_code == 422


def test_waiting_holds_no_thread_and_no_one_else_up(tmp_path: Path) -> None:
    """More requests wait than there are threads; a write is answered meanwhile."""
    with open_node(tmp_path, start=False) as node, running(node) as gateway:
        receipt = gateway.send(gateway.registration()).json()
        body = gateway.body(gateway.registration())

        async def wait_all() -> list[dict[str, Any]]:
            sent, all_sent = 0, asyncio.Event()

            async def count_sent(event: str, info: object) -> None:
                nonlocal sent
                sent += event == "http11.send_request_body.complete"
                if sent == 8 * READERS:
                    all_sent.set()

            limits = httpx.Limits(max_connections=150)
            async with httpx.AsyncClient(base_url=gateway.http.base_url, timeout=PATIENCE, limits=limits) as client:
                path = f"/v1/receipts/{receipt['id']}"
                waiting = [
                    asyncio.create_task(client.get(path, params={"wait": 12}, extensions={"trace": count_sent}))
                    for _ in range(8 * READERS)
                ]
                await asyncio.wait_for(all_sent.wait(), PATIENCE)
                answer = await client.post("/v1/datasets", json=body)
                assert answer.status_code == 202
                assert not any(one.done() for one in waiting)
                return [(await one).json() for one in waiting]

        assert {answer["status"] for answer in asyncio.run(wait_all())} == {"accepted"}


def test_documents_that_come_later_with_a_message_are_kept(gateway: Gateway) -> None:
    """An answer of 202 covers the whole body, even if the message was accepted before."""
    metadata, manifest = {"name": "later"}, manifest_of(a=b"documents that come later")
    message = gateway.registration(content_root=manifest.root, metadata_hash=metadata_hash(metadata))
    documents = {"metadata": metadata, "manifest": json.loads(manifest.to_json())}
    first = gateway.settle(message)
    again = gateway.send(message, **documents)
    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    assert gateway.http.get(f"/v1/metadata/{message.metadata_hash}").json() == metadata
    assert gateway.http.get(f"/v1/manifests/{message.content_root}").status_code == 200


def another_signature(gateway: Gateway, message: Registration) -> str:
    """The owner's signature over the same message, made with another nonce."""
    domain = Domain(message.CONTRACT, gateway.deployment.chain_id, gateway.deployment.address_of(message.CONTRACT))
    nonce = (ffi.NULL, ffi.new("unsigned char[32]", b"another nonce"))
    signature = PrivateKey(OWNER.secret()).sign_recoverable(message.digest(domain), hasher=None, custom_nonce=nonce)
    return f"0x{signature[:64].hex()}{27 + signature[64]:02x}"


@pytest.mark.parametrize("change", ["documents", "signature"])
def test_a_key_that_was_used_for_another_body_is_a_conflict_though_the_message_is_the_same(
    gateway: Gateway, change: str
) -> None:
    """R6."""
    metadata = {"name": change}
    message = gateway.registration(metadata_hash=metadata_hash(metadata))
    headers = {"idempotency-key": f"for one body, {change}".replace(" ", "-")}
    body = gateway.body(message)
    assert gateway.http.post("/v1/datasets", json=body, headers=headers).status_code == 202
    with_documents = gateway.body(message, metadata=metadata)
    other = with_documents if change == "documents" else body | {"signature": another_signature(gateway, message)}
    answer = gateway.http.post("/v1/datasets", json=other, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")
    assert gateway.http.get(f"/v1/metadata/{message.metadata_hash}").status_code == 404
