"""Each operation by itself: the request that it builds, and its results for recorded answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from registry.base.errors import Unavailable
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.eip712 import Signable
from registry.manifest import Manifest
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.statements import Publication, Retraction
from registry.rooms.protocols import PROTOCOLS
from registry.sdk.exchange import Operation, Response, ask
from registry.sdk.operations import node, receipts
from registry.sdk.rooms.access import operations as access
from registry.sdk.rooms.datasets import operations as datasets
from registry.sdk.rooms.datasets.models import Published
from registry.sdk.signing import Signed
from scripts import examples, openapi
from tests.sdk.described import answer_of

BODIES: dict[str, dict[str, Any]] = json.loads(examples.FILE.read_text())
ID = DatasetId(b"\x11" * 32)
HASH = Bytes32(b"\x11" * 32)
ACCOUNT = Address(b"\x11" * 20)
DATASET = "/v1/datasets/{dataset_id}"


@dataclass(frozen=True)
class Case:
    """An operation, the request that the description asks for, and where the description has its answer.

    Args:
        operation: The operation.
        method: The method.
        path: The path in the description.
        sent: The path that is sent.
        query: The parameters that are sent.
    """

    operation: Operation[Any]
    method: str
    path: str
    sent: str
    query: dict[str, Any]


def signed(kind: type[Signable], body: dict[str, Any]) -> Signed[Any]:
    return Signed(kind.parse(body["message"]), bytes.fromhex(body["signature"][2:]))


PUBLISHED = Published(
    signed(Publication, BODIES["Publication"]),
    BODIES["Publication"]["metadata"],
    Manifest.parse(json.dumps(BODIES["Publication"]["manifest"]).encode()),
)
OF = BODIES["Publication"]["message"]["datasetId"]

CASES = {
    "dataset": Case(datasets.dataset(ID, min_block=7), "GET", DATASET, f"/v1/datasets/{ID}", {"min_block": "7"}),
    "state": Case(datasets.state("11111111"), "GET", DATASET, "/v1/datasets/11111111", {}),
    "datasets": Case(datasets.datasets(name="a b", q=None), "GET", "/v1/datasets", "/v1/datasets", {"name": "a b"}),
    "versions": Case(datasets.versions(ID), "GET", f"{DATASET}/versions", f"/v1/datasets/{ID}/versions", {}),
    "history": Case(datasets.history("../x"), "GET", f"{DATASET}/history", "/v1/datasets/..%2Fx/history", {}),
    "claims": Case(datasets.claims(HASH), "GET", "/v1/verify", "/v1/verify", {"sha256": "11" * 32}),
    "lineage": Case(
        datasets.lineage(ID, version=2, depth=0),
        "GET",
        f"{DATASET}/lineage",
        f"/v1/datasets/{ID}/lineage",
        {"version": "2", "direction": "both", "depth": "0"},
    ),
    "check": Case(
        access.check(ID, ACCOUNT, at=5),
        "GET",
        f"{DATASET}/access",
        f"/v1/datasets/{ID}/access",
        {"address": "0x" + "11" * 20, "at": "5"},
    ),
    "grants": Case(
        access.grants(ID, grantee=ACCOUNT),
        "GET",
        f"{DATASET}/grants",
        f"/v1/datasets/{ID}/grants",
        {"grantee": "0x" + "11" * 20},
    ),
    "requests": Case(access.requests(ID), "GET", f"{DATASET}/requests", f"/v1/datasets/{ID}/requests", {}),
    "grantee": Case(
        access.grantee(ID, ACCOUNT),
        "GET",
        f"{DATASET}/grantees/{{address}}",
        f"/v1/datasets/{ID}/grantees/{'0x' + '11' * 20}",
        {},
    ),
    "publications": Case(
        datasets.publications(ID), "GET", f"{DATASET}/publications", f"/v1/datasets/{ID}/publications", {}
    ),
    "publish": Case(
        datasets.publish(PUBLISHED), "POST", f"{DATASET}/publications", f"/v1/datasets/{OF}/publications", {}
    ),
    "retract": Case(
        datasets.retract(signed(Retraction, BODIES["Retraction"])),
        "POST",
        f"{DATASET}/retractions",
        f"/v1/datasets/{OF}/retractions",
        {},
    ),
    "set_request_policy": Case(
        access.set_request_policy(signed(RequestPolicy, BODIES["RequestPolicy"])),
        "POST",
        f"{DATASET}/request-policy",
        f"/v1/datasets/{OF}/request-policy",
        {},
    ),
    "request_policy": Case(
        access.request_policy(ID), "GET", f"{DATASET}/request-policy", f"/v1/datasets/{ID}/request-policy", {}
    ),
    "receipt": Case(
        receipts.receipt("a/b", wait=5, until_final=True),
        "GET",
        "/v1/receipts/{receipt_id}",
        "/v1/receipts/a%2Fb",
        {"wait": "5", "until": "final"},
    ),
    "deployment": Case(node.deployment(), "GET", "/v1/deployment", "/v1/deployment", {}),
    "chain_time": Case(node.chain_time(), "GET", "/v1/deployment", "/v1/deployment", {}),
    "health": Case(node.health(), "GET", "/v1/health", "/v1/health", {}),
}
"""The operations whose answers the description describes."""
FORMLESS: dict[str, Operation[Any]] = {
    "description": datasets.description(ID, "dcat"),
    "credential": datasets.credential(ID),
    "metadata": datasets.metadata(HASH),
    "manifest": datasets.manifest(HASH),
    "certificate": datasets.certificate(ID),
    "evidence": datasets.evidence(ID),
}
"""The operations whose answers are documents in their own formats."""


def run(operation: Operation[Any], content: bytes) -> Any:
    """Return the result of an operation for the body of a successful answer."""
    conversation = ask(operation)
    assert next(conversation) == operation.request
    with pytest.raises(StopIteration) as end:
        conversation.send(Response(content))
    return end.value.value


def described(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = answer_of(case.path, case.method.lower())
    if case.path == "/v1/deployment":
        found["contracts"] = {"Any": {"address": "0x" + "11" * 20, "blockNumber": 3, "domain": {}}}
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_request_is_what_the_description_asks_for(name: str) -> None:
    case = CASES[name]
    request = case.operation.request
    assert (request.method, request.path, request.query) == (case.method, case.sent, case.query)


@pytest.mark.parametrize("name", ["Publication", "Retraction", "RequestPolicy"])
def test_a_statement_is_sent_as_the_examples_show(name: str) -> None:
    operation = {"Publication": "publish", "Retraction": "retract", "RequestPolicy": "set_request_policy"}[name]
    assert CASES[operation].operation.request.body == BODIES[name]


@pytest.mark.parametrize("name", PROTOCOLS.messages)
def test_every_message_is_sent_as_the_examples_show_to_the_path_that_the_gateway_serves(name: str) -> None:
    body = BODIES[name]
    documents = None
    if "publication" in body:
        listed = json.dumps(body["manifest"]).encode() if "manifest" in body else None
        documents = Published(
            signed(Publication, body["publication"]),
            body.get("metadata"),
            None if listed is None else Manifest.parse(listed),
        ).members()
    request = receipts.send(signed(PROTOCOLS.messages[name], body), documents, idempotency_key="k").request
    assert (request.method, request.body, request.headers) == ("POST", body, {"idempotency-key": "k"})
    [path] = {
        path
        for path, methods in _paths().items()
        if "post" in methods and f"{name}Submission" in json.dumps(methods["post"].get("requestBody", {}))
    }
    assert request.path == path.replace("{dataset_id}", body["message"].get("datasetId", ""))


def _paths() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(openapi.FILE.read_text())
    return dict(document["paths"])


@pytest.mark.parametrize("name", CASES)
def test_a_described_answer_is_read_and_unknown_fields_are_ignored(name: str) -> None:
    answer = described(CASES[name])
    known = run(CASES[name].operation, json.dumps(answer).encode())
    extended = run(CASES[name].operation, json.dumps(_extended(answer)).encode())
    if hasattr(known, "raw"):
        assert known.raw == answer
        assert extended.raw == _extended(answer)
    if hasattr(known, "model_dump"):
        assert known.model_dump() == extended.model_dump()


def _extended(value: Any) -> Any:
    """Return a JSON value with an unknown field in each object; maps by name are left as they are."""
    if isinstance(value, list):
        return [_extended(item) for item in value]
    if isinstance(value, dict):
        inner = {name: part if name in ("contracts", "values") else _extended(part) for name, part in value.items()}
        return {**inner, "fieldOfALaterVersion": [1]}
    return value


@pytest.mark.parametrize("name", [*CASES, *FORMLESS])
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"<html>hello</html>", b"[]", b"5", b'"text"', b"null", b"[" * 100_000, b"9" * 5000],
    ids=lambda content: repr(content[:12]),
)
def test_an_answer_of_another_kind_is_not_valid(name: str, content: bytes) -> None:
    operation = FORMLESS[name] if name in FORMLESS else CASES[name].operation
    _assert_invalid(operation, content)


@pytest.mark.parametrize("name", [name for name in CASES if name != "chain_time"])
def test_an_empty_object_is_not_valid(name: str) -> None:
    _assert_invalid(CASES[name].operation, b"{}")


def _assert_invalid(operation: Operation[Any], content: bytes) -> None:
    conversation = ask(operation)
    next(conversation)
    with pytest.raises(Unavailable) as caught:
        conversation.send(Response(content))
    assert caught.value.message == "The gateway returned an invalid or unsupported response."


@pytest.mark.parametrize("name", CASES)
def test_whatever_is_wrong_in_an_answer_it_is_read_or_refused(name: str) -> None:
    """Each field in turn is left out or has each other type: nothing else than Unavailable comes of it."""
    case = CASES[name]
    refused = 0
    for answer in _spoilt(described(case)):
        conversation = ask(case.operation)
        next(conversation)
        try:
            conversation.send(Response(json.dumps(answer).encode()))
        except Unavailable:
            refused += 1
        except StopIteration:
            pass
    assert refused > 0


def _spoilt(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for trail in list(_trails(answer)):
        for value in (None, True, -1, 2**70, 0.5, "", "0x", [], [5], {}, {"a": 1}):
            spoilt = copy.deepcopy(answer)
            _at(spoilt, trail[:-1])[trail[-1]] = value
            yield spoilt
        spoilt = copy.deepcopy(answer)
        del _at(spoilt, trail[:-1])[trail[-1]]
        yield spoilt


def _trails(value: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*trail, key)
        yield from _trails(part, (*trail, key))


def _at(value: Any, trail: tuple[Any, ...]) -> Any:
    for key in trail:
        value = value[key]
    return value


def test_an_answer_about_another_dataset_is_refused() -> None:
    conversation = ask(datasets.state("22222222"))
    next(conversation)
    with pytest.raises(Unavailable, match="another dataset"):
        conversation.send(Response(json.dumps(described(CASES["state"])).encode()))


def test_a_receipt_names_its_subject() -> None:
    answer = {"id": "r", "action": "a", "status": "sent", "subject": {"kind": "order", "id": str(HASH)}}
    receipt = run(receipts.receipt("r"), json.dumps(answer).encode())
    assert (receipt.subject.kind, receipt.subject.id) == ("order", HASH)
