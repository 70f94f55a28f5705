"""The gateway's description of itself is current and correct: it lists every answer."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from api import answers
from api.problems import Problem
from api.rooms.access import answers as access
from api.rooms.datasets import answers as datasets
from api.routes.deployment import DeploymentAnswer
from api.routes.operations import Health
from registry.base.primitives import Bytes32
from scripts import openapi
from tests.api.world import ANALYST, Gateway, grant, request, revocation
from tests.fixtures.randomness import draws


def test_the_committed_description_is_fresh() -> None:
    assert openapi.FILE.read_text() == openapi.document(), "run python -m scripts.openapi"


@cache
def paths() -> dict[str, dict[str, Any]]:
    """Return the paths in the description, with their operations."""
    found: dict[str, dict[str, Any]] = json.loads(openapi.document())["paths"]
    return found


@cache
def operations() -> tuple[tuple[str, str, str], ...]:
    """Return the method, path and operation id of every operation in the description."""
    return tuple(
        (method.upper(), path, operation["operationId"])
        for path, methods in sorted(paths().items())
        for method, operation in sorted(methods.items())
    )


def test_every_operation_has_a_summary_and_a_description_of_each_answer() -> None:
    for path, methods in paths().items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert operation["description"], path
            assert {"500"} <= set(operation["responses"]), (method, path)


def test_every_answer_has_the_shape_that_is_documented(gateway: Gateway) -> None:
    dataset_id = gateway.register()
    gateway.settle(gateway.revision(dataset_id, gateway.head(dataset_id)))
    gateway.settle(request(dataset_id), ANALYST)
    gateway.settle(grant(dataset_id))
    gateway.settle(revocation(dataset_id, 1))
    receipt = gateway.settle(grant(dataset_id, 2))
    root = gateway.http.get(f"/v1/datasets/{dataset_id}").json()["contentRoot"]
    shapes: dict[str, Any] = {
        "/v1/deployment": DeploymentAnswer,
        "/v1/health": Health,
        "/v1/health/ready": Health,
        "/v1/datasets": datasets.DatasetPage,
        f"/v1/datasets/{dataset_id}": datasets.Dataset,
        f"/v1/datasets/{dataset_id}/versions": datasets.VersionPage,
        f"/v1/datasets/{dataset_id}/history": datasets.HistoryPage,
        f"/v1/datasets/{dataset_id}/grants": access.GrantPage,
        f"/v1/datasets/{dataset_id}/grantees/{ANALYST.address}": access.Grantee,
        f"/v1/datasets/{dataset_id}/access?address={ANALYST.address}": access.AccessAnswer,
        f"/v1/verify?sha256={root}": datasets.Claims,
        f"/v1/receipts/{receipt['id']}": answers.Receipt,
    }
    for path, shape in shapes.items():
        answer = gateway.http.get(path)
        assert answer.status_code == 200, answer.text
        TypeAdapter(shape).validate_json(answer.content)


_IDS = st.one_of(
    st.text(max_size=70),
    st.from_regex(r"(0x)?[0-9a-f]{7,66}", fullmatch=True),
    st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()),
)
_VALUES = st.one_of(
    st.text(max_size=60),
    st.integers().map(str),
    st.sampled_from(["", "0", "-1", "nan", "1e9", "%00", "true", "null", "2026-11-23T04:00:00Z", "0x" + "11" * 20]),
)
_NAMES = st.sampled_from(
    ["owner", "name", "q", "sha256", "status", "source", "limit", "cursor", "min_block", "address", "at", "x"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.long
@settings(max_examples=draws(100, 300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_the_answer_is_one_that_is_documented(gateway: Gateway, data: st.DataObject) -> None:
    """No server error, no status that the description does not list, and every refusal a problem."""
    method, path, operation_id = data.draw(st.sampled_from(operations()))
    for name in ("dataset_id", "receipt_id", "address", "root", "metadata_hash", "slug"):
        path = path.replace(f"{{{name}}}", _quoted(data.draw(_IDS)))
    query = data.draw(st.dictionaries(_NAMES, _VALUES, max_size=3)) | {}
    query.pop("min_block", None)
    body: dict[str, Any] = {}
    if method == "POST":
        message = gateway.body(gateway.registration())
        for change in data.draw(st.lists(st.tuples(st.sampled_from(sorted(message["message"])), _JSON), max_size=2)):
            message["message"][change[0]] = change[1]
        body = {"json": data.draw(st.one_of(st.just(message), _JSON))}
    answer = gateway.http.request(method, path, params=query, **body)
    documented = described(operation_id)
    if "404" not in documented and answer.status_code == 404:
        return  # The drawn text had a slash or a dot segment in it: this was another path.
    assert str(answer.status_code) in documented, (method, path, query, answer.status_code, answer.text)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        Problem.model_validate_json(answer.content)


@cache
def described(operation_id: str) -> frozenset[str]:
    """Return the statuses that the description of an operation lists."""
    for methods in paths().values():
        for operation in methods.values():
            if operation["operationId"] == operation_id:
                return frozenset(operation["responses"])
    raise AssertionError(operation_id)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode(errors="ignore")) or "-"


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"])
def test_the_pages_about_the_api_need_no_other_server(gateway: Gateway, path: str) -> None:
    answer = gateway.http.get(path)
    assert answer.status_code == 200
    if path == "/docs":
        assert "http" not in answer.text.replace("HTTP API", "")
        assert "script-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/v1/datasets"), ("PUT", "/rpc"), ("POST", "/v1/health")])
def test_another_method_is_a_problem_that_names_those_allowed(gateway: Gateway, method: str, path: str) -> None:
    answer = gateway.http.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert answer.headers["allow"]


def test_access_is_told_for_past_present_and_future(gateway: Gateway) -> None:
    """C8: access holds exactly if granted, started, not expired, not revoked; the past is remembered."""
    dataset_id = gateway.register()
    granted = gateway.settle(grant(dataset_id, rights=5))
    path = f"/v1/datasets/{dataset_id}/access"
    asked = {"address": str(ANALYST.address)}
    time = gateway.http.get(f"/v1/datasets/{dataset_id}/grants").json()["items"][0]["startsAt"]
    assert gateway.http.get(path, params=asked | {"at": time}).json()["rights"] == ["read", "aggregate"]
    gateway.settle(revocation(dataset_id, 1))
    now = gateway.http.get(path, params=asked | {"at": "2090-01-01T00:00:00Z"}).json()
    assert (now["allowed"], now["rights"]) == (False, [])
    before = gateway.http.get(path, params=asked | {"at": time}).json()
    assert before["allowed"] is True
    assert before["at"] == time
    assert granted["blockNumber"] <= before["asOfBlock"]


def test_a_time_without_a_zone_is_refused(gateway: Gateway) -> None:
    path = f"/v1/datasets/{Bytes32(bytes(32))}/access"
    answer = gateway.http.get(path, params={"address": str(ANALYST.address), "at": "2026-11-23T04:00:00"})
    assert answer.status_code == 422
    assert "zone" in answer.json()["detail"]
