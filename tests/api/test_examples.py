"""The examples in the description: each matches its schema, has a valid signature, and is accepted by a gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from jsonschema import Draft202012Validator

from registry.ethereum.eip712 import Domain, Signable
from registry.keys.signer import Signer
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.statements import Publication, Retraction
from registry.rooms.protocols import PROTOCOLS
from scripts import examples, openapi
from tests.api.world import Gateway

DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text())
BODIES: dict[str, dict[str, Any]] = json.loads(examples.FILE.read_text())
STATEMENTS: tuple[type[Signable], ...] = (Publication, Retraction, RequestPolicy)
STRUCTS = {**PROTOCOLS.messages, **{statement.__name__: statement for statement in STATEMENTS}}
SIGNERS = {"AccessRequest": examples.ANALYST, "Withdrawal": examples.ANALYST}
"""The signer of each example; by default the owner. The title is the analyst's before the withdrawal."""


def test_the_file_of_examples_is_fresh() -> None:
    assert examples.FILE.read_text() == examples.rendered(), "run python -m scripts.examples"


def shown(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every example in a part of the description, with its schema."""
    if isinstance(node, list):
        for item in node:
            yield from shown(item)
    elif isinstance(node, dict):
        named = node.get("examples")
        if isinstance(named, list):
            yield from ((node, example) for example in named)
        elif isinstance(named, dict) and "schema" in node:
            yield from ((node["schema"], example["value"]) for example in named.values())
        if "example" in node and "schema" in node:
            yield node["schema"], node["example"]
        for name, part in node.items():
            if name not in ("example", "examples"):
                yield from shown(part)


def body_examples() -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
    """Each operation that takes a body, its schema, and the examples of the body."""
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            if "requestBody" in operation:
                media = operation["requestBody"]["content"]["application/json"]
                schema = media["schema"]
                if "$ref" in schema:
                    schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
                yield path, schema, [example for _, example in shown({**media, "schema": schema})]


def test_every_example_matches_its_schema() -> None:
    found = list(shown(DOCUMENT))
    assert len(found) > len(BODIES)
    for schema, example in found:
        whole = {**schema, "components": DOCUMENT["components"]}
        problems = [error.message for error in Draft202012Validator(whole).iter_errors(example)]
        assert not problems, (schema.get("title"), problems)


def test_every_body_is_shown_by_an_example() -> None:
    listed = list(body_examples())
    assert len(listed) == len(STRUCTS) + 1, "one for each message and statement, and /rpc"
    for path, _, found in listed:
        assert found, path
    by_path = [body for path, _, found in listed if path != "/rpc" for body in found]
    assert sorted(map(canonical, by_path)) == sorted(map(canonical, BODIES.values()))


def canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)


def signed_parts() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in BODIES.items():
        yield name, body
        if "publication" in body:
            yield "Publication", body["publication"]


@pytest.mark.parametrize(("name", "body"), list(signed_parts()))
def test_every_example_is_signed_by_who_may(name: str, body: dict[str, Any]) -> None:
    """Another library recovers the signer."""
    struct = STRUCTS[name]
    domain = Domain(struct.CONTRACT, examples.CHAIN_ID, examples.CONTRACTS[struct.CONTRACT])
    typed = struct.model_validate(body["message"]).typed_data(domain)
    signer = Account.recover_message(encode_typed_data(full_message=typed), signature=body["signature"])
    assert signer == str(SIGNERS.get(name, examples.OWNER).address)


def path_of(name: str, body: dict[str, Any]) -> str:
    """Return the path to which a body is posted, from the description."""
    for path, methods in DOCUMENT["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if DOCUMENT["components"]["schemas"].get(schema, {}).get("examples") == [body]:
            return str(path).replace("{dataset_id}", body["message"].get("datasetId", ""))
    raise AssertionError(f"no operation shows the example {name}")


@pytest.mark.parametrize("name", BODIES)
def test_an_example_is_refused_for_its_chain_and_not_for_its_shape(gateway: Gateway, name: str) -> None:
    answer = gateway.http.post(path_of(name, BODIES[name]), json=BODIES[name])
    assert answer.status_code in (403, 404, 409), answer.text


def resigned(name: str, body: dict[str, Any], gateway: Gateway) -> dict[str, Any]:
    """An example, signed for a gateway's own contracts."""
    signer: Signer = SIGNERS.get(name, examples.OWNER)
    found = {**body, "signature": gateway.signature(STRUCTS[name].model_validate(body["message"]), signer)}
    if "publication" in body:
        found["publication"] = resigned("Publication", body["publication"], gateway)
    return found


def test_signed_for_a_gateways_contracts_every_example_is_taken(gateway: Gateway) -> None:
    for name, body in BODIES.items():
        answer = gateway.http.post(path_of(name, body), json=resigned(name, body, gateway))
        assert answer.status_code in (200, 202), (name, answer.text)
        if answer.status_code == 202:
            receipt = gateway.http.get(answer.headers["location"], params={"wait": 60}).json()
            assert receipt["status"] in ("mined", "final"), (name, receipt)


def test_every_example_of_a_call_is_answered_with_a_result(gateway: Gateway) -> None:
    calls = next(found for path, _, found in body_examples() if path == "/rpc")
    for call in calls:
        answer = gateway.http.post("/rpc", json=call).json()
        for one in answer if isinstance(answer, list) else [answer]:
            assert "result" in one, one
