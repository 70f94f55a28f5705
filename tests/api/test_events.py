"""Events over HTTP: cursors, filters, waiting, and the consumer of docs/http.md."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.routes.events import EventBatch
from tests.api.world import ANALYST, OWNER, Gateway, grant
from tests.fixtures.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]


def read(gateway: Gateway, **query: Any) -> dict[str, Any]:
    answer = gateway.http.get("/v1/events", params=query)
    assert answer.status_code == 200, answer.text
    EventBatch.model_validate_json(answer.content)
    return dict(answer.json())


def newest(gateway: Gateway) -> int:
    after = 0
    while (batch := read(gateway, after=after, limit=200))["hasMore"]:
        after = batch["next"]
    return int(batch["next"])


def test_registration_is_an_entry_with_its_place_and_values(gateway: Gateway) -> None:
    after = newest(gateway)
    message = gateway.registration(uri="ipfs://x")
    receipt = gateway.settle(message)
    batch = read(gateway, after=after)
    [entry] = batch["items"]
    assert (entry["seq"], batch["next"], batch["hasMore"]) == (after + 1, after + 1, False)
    assert (entry["kind"], entry["name"], entry["retracts"], entry["account"]) == ("event", "Registered", None, None)
    assert entry["subject"] == {"kind": "dataset", "id": str(message.dataset_id)}
    assert entry["at"]["blockNumber"] == receipt["blockNumber"]
    assert entry["at"]["transactionHash"] == receipt["transactionHash"]
    assert entry["values"] == {
        "datasetId": str(message.dataset_id),
        "owner": str(OWNER.address),
        "contentRoot": str(message.content_root),
        "metadataHash": "0x" + "00" * 32,
        "salt": "0x" + "00" * 32,
        "uri": "ipfs://x",
        "sources": [],
    }


def test_filters_choose_entries_and_the_cursor_goes_on(gateway: Gateway) -> None:
    after = newest(gateway)
    first = gateway.register()
    second = gateway.register()
    gateway.settle(grant(second))
    batch = read(gateway, after=after, subject=f"dataset:{second}")
    assert [entry["name"] for entry in batch["items"]] == ["Registered", "AccessGranted"]
    assert batch["items"][1]["account"] == str(ANALYST.address)
    assert batch["next"] == after + 3
    assert read(gateway, after=after, subject=f"order:{first}")["items"] == []
    assert read(gateway, after=after, kind="retraction")["next"] == after + 3
    assert [entry["seq"] for entry in read(gateway, after=after, limit=2)["items"]] == [after + 1, after + 2]
    assert read(gateway, after=after, limit=2)["hasMore"]


def test_request_that_waits_is_answered_when_something_happens(gateway: Gateway) -> None:
    after = newest(gateway)
    answers: list[dict[str, Any]] = []

    def wait() -> None:
        with httpx.Client(base_url=gateway.http.base_url, timeout=PATIENCE) as http:
            while not (answer := http.get("/v1/events", params={"after": after, "wait": 60}).json())["items"]:
                continue  # A slow machine may take more than a minute for the registration.
            answers.append(answer)

    threads = [threading.Thread(target=wait) for _ in range(20)]  # More than there are threads for reads.
    for thread in threads:
        thread.start()
    dataset_id = gateway.register()
    for thread in threads:
        thread.join()
    assert {entry["subject"]["id"] for answer in answers for entry in answer["items"]} == {str(dataset_id)}
    assert len(answers) == 20


def test_where_nothing_happens_the_wait_ends_with_the_same_cursor(gateway: Gateway) -> None:
    after = newest(gateway)
    batch = read(gateway, after=after, wait=0.1)
    assert (batch["items"], batch["next"], batch["hasMore"]) == ([], after, False)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": 10**9}, "query.after"),
        ({"after": -1}, "query.after"),
        ({"after": "abc"}, "query.after"),
        ({"after": 2**63}, "query.after"),
        ({"limit": 0}, "query.limit"),
        ({"wait": 61}, "query.wait"),
        ({"kind": "events"}, "query.kind"),
        ({"subject": "dataset"}, "query.subject"),
        ({"subject": "dataset:0x12"}, "query.subject"),
    ],
)
def test_query_that_cannot_be_is_refused_by_name(gateway: Gateway, query: dict[str, Any], field: str) -> None:
    answer = gateway.http.get("/v1/events", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_expiry_of_a_grant_is_announced_by_the_running_node(gateway: Gateway) -> None:
    dataset_id = gateway.register()
    after = newest(gateway)
    chain_time = gateway.node.chain_time()
    assert chain_time is not None
    expires_at = chain_time + 5
    gateway.settle(grant(dataset_id, expires_at=expires_at))

    def look() -> list[dict[str, Any]]:
        gateway.register()  # The time of its block counts too.
        return list(read(gateway, after=after, kind="due", wait=1)["items"])

    [entry] = eventually(look)
    assert (entry["name"], entry["subject"]["id"]) == ("AccessExpired", str(dataset_id))
    assert entry["values"] == {"grantee": str(ANALYST.address), "epoch": 1, "expiresAt": expires_at}


def test_consumer_of_the_guide_holds_what_the_lists_show(gateway: Gateway) -> None:
    [code] = re.findall(r"```python\n(import httpx\n.*?)```", (ROOT / "docs/http.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the guide's own example
    held: dict[int, dict[str, Any]] = {}
    after = names["follow"](gateway.http, held, 0)
    dataset_id = gateway.register()
    assert names["follow"](gateway.http, held, after) > after
    registered = {entry["subject"]["id"] for entry in held.values() if entry["name"] == "Registered"}
    assert str(dataset_id) in registered
    assert registered == listed(gateway)


def listed(gateway: Gateway) -> set[str]:
    found: set[str] = set()
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = gateway.http.get("/v1/datasets", params=query).json()
        found |= {item["datasetId"] for item in page["items"]}
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]
