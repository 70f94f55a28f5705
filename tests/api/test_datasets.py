"""Full course over HTTP: register, revise, transfer, withdraw, and search; every answer is as documented."""

from __future__ import annotations

import itertools
import json
from functools import partial
from typing import Any

import pytest

from registry.base.canonical import metadata_hash
from registry.base.primitives import Bytes32
from registry.rooms.datasets.messages import Source, dataset_id_of
from tests.api.world import (
    OWNER,
    STRANGER,
    Gateway,
    hash_of,
    manifest_of,
    transfer,
    withdrawal,
)
from tests.fixtures.waiting import undisturbed

METADATA = {"name": "Vögel der Alpen 鳥", "description": "Counts.", "licence": "CC-BY-4.0"}


def test_a_dataset_is_found_as_it_was_registered(gateway: Gateway) -> None:
    manifest = manifest_of(birds=b"a,b\n1,2\n", trees=b"a\n")
    message = gateway.registration(content_root=manifest.root, metadata_hash=metadata_hash(METADATA), uri="ipfs://x")
    receipt = gateway.settle(message, metadata=METADATA, manifest=json.loads(manifest.to_json()))
    found = gateway.http.get(f"/v1/datasets/{message.dataset_id}")
    dataset = found.json()
    assert int(found.headers["tdr-as-of-block"]) == dataset["asOfBlock"] >= receipt["blockNumber"]
    assert dataset["owner"] == dataset["firstOwner"] == str(OWNER.address)
    assert (dataset["version"], dataset["status"], dataset["uri"]) == (1, "active", "ipfs://x")
    assert (dataset["contentRoot"], dataset["metadata"]) == (str(manifest.root), METADATA)
    assert (dataset["name"], dataset["files"], dataset["bytes"]) == (METADATA["name"], 2, 10)
    assert dataset["transactionHash"] == receipt["transactionHash"]
    assert gateway.http.get(f"/v1/manifests/{manifest.root}").content == manifest.to_json().encode()
    assert gateway.http.get(f"/v1/metadata/{message.metadata_hash}").json() == METADATA
    assert gateway.http.get(f"/v1/datasets/{str(message.dataset_id)[2:12]}").json()["datasetId"] == str(
        message.dataset_id
    )


def test_a_dataset_asked_for_by_its_whole_id_is_answered_as_by_the_route(gateway: Gateway) -> None:
    path = f"/v1/datasets/{gateway.register()}"
    counted = 'tdr_http_answers_total{method="GET",route="/v1/datasets/{dataset_id}",status="200"} '
    before = _counted(gateway, counted)
    asked = 0

    def ask(where: str, **query: int) -> tuple[Any, list[str], str]:
        nonlocal asked
        asked += 1
        answer = gateway.http.get(where, params=query)
        return answer.json(), sorted(answer.headers), answer.headers["content-type"]

    for short in (path, path.upper().replace("/V1/DATASETS/0X", "/v1/datasets/")):
        routed, found = undisturbed(partial(ask, path, min_block=0), partial(ask, short))
        assert found == routed
    assert _counted(gateway, counted) == before + asked
    assert gateway.http.get(path, params={"mni_block": 0}).status_code == 422
    assert gateway.http.get(f"/v1/datasets/0x{'0' * 64}").json()["type"] == "/problems/not-found"
    assert gateway.http.get(path, headers={"X-Request-Id": "mine"}).headers["x-request-id"] == "mine"


def _counted(gateway: Gateway, series: str) -> float:
    return sum(
        float(line.removeprefix(series))
        for line in gateway.http.get("/metrics").text.splitlines()
        if line.startswith(series)
    )


def test_a_dataset_is_found_by_each_filter(gateway: Gateway) -> None:
    manifest = manifest_of(unique=b"found by its file\n")
    metadata = {"name": "Quokka census"}
    source = gateway.register(STRANGER)
    message = gateway.registration(
        owner=STRANGER.address,
        content_root=manifest.root,
        metadata_hash=metadata_hash(metadata),
        sources=(Source(dataset_id=source, version=1),),
    )
    gateway.settle(message, STRANGER, metadata=metadata, manifest=json.loads(manifest.to_json()))
    for query in (
        {"owner": str(STRANGER.address)},
        {"name": "quokka CENSUS"},
        {"q": "census"},
        {"sha256": hash_of(b"found by its file\n").hex()},
        {"sha256": str(manifest.root)},
        {"source": str(source)},
        {"status": "active", "owner": str(STRANGER.address)},
    ):
        items = gateway.http.get("/v1/datasets", params=query).json()["items"]
        assert str(message.dataset_id) == items[0]["datasetId"], query
    assert gateway.http.get("/v1/datasets", params={"q": "quokka", "status": "withdrawn"}).json()["items"] == []


def test_pages_follow_one_another_without_gap(gateway: Gateway) -> None:
    for _ in range(5):
        gateway.register()
    whole = gateway.http.get("/v1/datasets", params={"limit": 200}).json()
    pages, cursor = [], ""
    while cursor is not None:
        page = gateway.http.get("/v1/datasets", params={"limit": "2"} | ({"cursor": cursor} if cursor else {})).json()
        pages += page["items"]
        cursor = page["next"]
    assert pages == whole["items"]
    assert whole["next"] is None


def test_history_tells_all_that_happened(gateway: Gateway) -> None:
    dataset_id = gateway.register()
    gateway.settle(gateway.revision(dataset_id, gateway.head(dataset_id)))
    gateway.settle(transfer(dataset_id, gateway.head(dataset_id), STRANGER.address))
    gateway.settle(withdrawal(dataset_id, gateway.head(dataset_id), "a mistake"), STRANGER)
    history = gateway.http.get(f"/v1/datasets/{dataset_id}/history").json()["items"]
    assert [step["kind"] for step in history] == ["registered", "revised", "transferred", "withdrawn"]
    dataset = gateway.http.get(f"/v1/datasets/{dataset_id}").json()
    assert dataset["head"] == history[-1]["head"]
    assert (dataset["status"], dataset["withdrawalReason"]) == ("withdrawn", "a mistake")
    assert (dataset["owner"], dataset["firstOwner"]) == (str(STRANGER.address), str(OWNER.address))
    versions = gateway.http.get(f"/v1/datasets/{dataset_id}/versions").json()["items"]
    assert [version["version"] for version in versions] == [1, 2]


def test_every_claim_of_a_hash_is_told_in_order(gateway: Gateway) -> None:
    manifest = manifest_of(shared=b"claimed twice\n")
    documents = {"manifest": json.loads(manifest.to_json())}
    first = gateway.registration(content_root=manifest.root)
    second = gateway.registration(content_root=manifest.root, owner=STRANGER.address)
    gateway.settle(first, **documents)
    gateway.settle(second, STRANGER, **documents)
    for sha256, match in ((manifest.root, "root"), (hash_of(b"claimed twice\n"), "file")):
        answer = gateway.http.get("/v1/verify", params={"sha256": sha256.hex()}).json()
        assert answer["sha256"] == str(sha256)
        assert [claim["claimant"] for claim in answer["claims"]] == [str(OWNER.address), str(STRANGER.address)]
        assert {claim["match"] for claim in answer["claims"]} == {match}
    assert gateway.http.get("/v1/verify", params={"sha256": "00" * 32}).json()["claims"] == []


def test_an_answer_waits_for_the_block_that_is_asked_for(gateway: Gateway) -> None:
    answer = gateway.send(gateway.registration()).json()
    receipt = gateway.http.get(f"/v1/receipts/{answer['id']}", params={"wait": 30}).json()
    found = gateway.http.get(f"/v1/datasets/{receipt['subject']['id']}", params={"min_block": receipt["blockNumber"]})
    assert found.status_code == 200
    assert found.json()["asOfBlock"] >= receipt["blockNumber"]


def test_a_block_that_does_not_come_is_unavailable(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.reads.WAIT_SECONDS", 0.2)
    ahead = gateway.http.get("/v1/datasets").json()["asOfBlock"] + 1000
    answer = gateway.http.get("/v1/datasets", params={"min_block": ahead})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/datasets/0x{'12' * 32}", 404),
        (f"/v1/datasets/0x{'12' * 32}/history", 404),
        ("/v1/datasets/12345678", 404),
        ("/v1/datasets/1234567", 422),
        ("/v1/datasets/xyz", 422),
        (f"/v1/datasets/0x{'12' * 33}", 422),
        ("/v1/datasets?onwer=x", 422),
        ("/v1/datasets?limit=0", 422),
        ("/v1/datasets?limit=201", 422),
        ("/v1/datasets?limit=2&limit=3", 422),
        ("/v1/datasets?cursor=0x", 422),
        ("/v1/datasets?owner=0x12", 422),
        ("/v1/datasets?q=%20", 422),
        ("/v1/datasets?q=%00", 422),
        ("/v1/datasets?name=%00", 200),
        ("/v1/datasets?min_block=-1", 422),
        ("/v1/verify", 422),
        ("/v1/verify?sha256=12", 422),
        (f"/v1/manifests/0x{'12' * 32}", 404),
        (f"/v1/metadata/0x{'12' * 32}", 404),
        ("/v1/metadata/0x12", 422),
    ],
)
def test_what_cannot_be_answered_is_a_problem(gateway: Gateway, path: str, status: int) -> None:
    answer = gateway.http.get(path)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert gateway.http.get(answer.json()["type"]).status_code == 200


def test_an_id_whose_beginning_several_share_is_a_conflict_that_lists_them(gateway: Gateway) -> None:
    root = Bytes32(b"\7" * 32)
    seen: dict[bytes, Bytes32] = {}
    for number in itertools.count():
        salt = Bytes32(number.to_bytes(32, "big"))
        other = seen.setdefault(dataset_id_of(OWNER.address, root, salt)[:4], salt)
        if other != salt:
            break
    salts = (other, salt)
    messages = [gateway.registration(content_root=root, salt=salt) for salt in salts]
    for message in messages:
        gateway.settle(message)
    answer = gateway.http.get(f"/v1/datasets/{messages[0].dataset_id.hex()[:8]}")
    assert answer.status_code == 409
    assert all(str(message.dataset_id) in answer.json()["hint"] for message in messages)
