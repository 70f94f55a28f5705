"""Times over HTTP: in seconds, and not implausibly far ahead."""

from __future__ import annotations

import time
from typing import Any

import pytest

from registry.base.primitives import ZERO_BYTES32
from registry.devchain.embedded import EmbeddedChain
from tests.api.world import ANALYST, Gateway, grant, request, withdrawal

MILLISECONDS = 1_890_000_000_000
"""The year 2029, in the unit of JavaScript's `Date.now()`."""
SECONDS_A_YEAR = 31_557_600


def message_of(gateway: Gateway, kind: str) -> Any:
    dataset_id = gateway.registration().dataset_id
    return {
        "registration": gateway.registration(),
        "request": request(dataset_id),
        "grant": grant(dataset_id),
        "withdrawal": withdrawal(dataset_id, ZERO_BYTES32),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("registration", "deadline"),
        ("withdrawal", "deadline"),
        ("request", "deadline"),
        ("request", "expires_at"),
        ("grant", "deadline"),
        ("grant", "expires_at"),
        ("grant", "starts_at"),
    ],
)
def test_milliseconds_are_refused_with_a_hint(gateway: Gateway, kind: str, field: str) -> None:
    """They would be a time in the year 61,861, and make a signature good for ever."""
    changed = {field: MILLISECONDS}
    if field == "starts_at":
        changed["expires_at"] = MILLISECONDS + 1
    message = message_of(gateway, kind).model_copy(update=changed)
    answer = gateway.send(message)
    problem = answer.json()
    assert answer.status_code == 422
    name = {"deadline": "deadline", "expires_at": "expiresAt", "starts_at": "startsAt"}[field]
    assert problem["errors"][0]["field"] == f"body.message.{name}"
    assert "1890000000 would be the seconds" in problem["hint"]


def test_the_horizon_is_a_hundred_years(gateway: Gateway) -> None:
    now = int(time.time())
    assert gateway.send(gateway.registration(deadline=now + 99 * SECONDS_A_YEAR)).status_code == 202
    answer = gateway.send(gateway.registration(deadline=now + 101 * SECONDS_A_YEAR))
    assert answer.status_code == 422
    assert "more than 100 years ahead" in answer.json()["detail"]


def test_a_query_in_milliseconds_is_refused_with_a_hint(gateway: Gateway) -> None:
    path = f"/v1/datasets/{gateway.registration().dataset_id}/access"
    query = {"address": "0x" + "11" * 20, "at": str(MILLISECONDS)}
    answer = gateway.http.get(path, params=query)
    assert answer.status_code == 422
    assert "milliseconds" in answer.json()["detail"]


def test_a_passed_deadline_is_answered_with_both_times_and_the_difference(gateway: Gateway) -> None:
    """The reader can distinguish a late message from a slow clock."""
    problem = gateway.send(gateway.registration(deadline=1_700_000_000)).json()
    assert problem["error"] == "DeadlinePassed"
    late = problem["values"]["blockTimestamp"] - 1_700_000_000
    assert "2023-11-14T22:13:20Z" in problem["detail"]
    assert f"{late} s later" in problem["detail"]
    assert "clock" in problem["hint"]


def test_the_chains_time_is_served(gateway: Gateway) -> None:
    chain = gateway.node.chain
    assert isinstance(chain, EmbeddedChain)
    before = chain.now()
    served = gateway.http.get("/v1/deployment").json()["chainTime"]
    assert before <= served <= chain.now()


def test_a_grant_that_was_waited_for_has_begun_though_the_clock_is_behind_the_blocks(gateway: Gateway) -> None:
    """Terms begin by the time of blocks: the present is not before the block that an answer is as of."""
    dataset_id = gateway.register()
    gateway.node.chain.request("evm_increaseTime", [3600])
    gateway.settle(grant(dataset_id))
    place = f"/v1/datasets/{dataset_id}"
    access = gateway.http.get(f"{place}/access", params={"address": str(ANALYST.address)}).json()
    assert (access["allowed"], access["reason"]) == (True, "active")
    assert access["at"] == access["startsAt"]
    (listed,) = gateway.http.get(f"{place}/grants").json()["items"]
    assert listed["state"] == "active"
    grantee = gateway.http.get(f"{place}/grantees/{ANALYST.address}").json()
    assert grantee["grants"][0]["state"] == "active"
