"""Requests for access: owners can refuse them, and a gateway limits their number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.rooms.access.messages import AccessRequest
from tests.api.studies import Study, policy, publish
from tests.api.world import ANALYST, FAR, STRANGER, Gateway, grant, open_node, owner, request, running, transfer
from tests.fixtures.waiting import eventually


def test_an_owner_closes_a_dataset_to_requests_and_opens_it_again(gateway: Gateway, study: Study) -> None:
    ask = gateway.body(request(study.dataset_id), ANALYST)
    place = f"/v1/datasets/{study.dataset_id}/requests"
    assert policy(gateway, study, False, 100, STRANGER).status_code == 403
    assert policy(gateway, study, False, 100).json()["accepted"] is False
    assert gateway.http.post(place, json=ask).status_code == 409
    assert policy(gateway, study, True, 99).status_code == 409, "an older statement does not count"
    assert policy(gateway, study, True, 101).json()["accepted"] is True
    assert policy(gateway, study, False, 100).status_code == 409, "everybody knows the older one"
    assert gateway.http.post(place, json=ask).status_code == 202


def test_a_repeated_request_keeps_its_receipt_when_the_dataset_is_closed_and_new_ones_are_refused(
    gateway: Gateway, study: Study
) -> None:
    """With another deadline it is another message, whose effect exists already."""
    ask = request(study.dataset_id)
    accepted = gateway.settle(ask, ANALYST)
    assert policy(gateway, study, False, 100).status_code == 200
    for again in (ask, ask.model_copy(update={"deadline": FAR - 1})):
        answer = gateway.send(again, ANALYST)
        assert (answer.status_code, answer.json()["id"]) == (202, accepted["id"])
    assert gateway.send(request(study.dataset_id, 1), ANALYST).status_code == 409


@pytest.mark.parametrize("issued_at", [4_000_000_000, 1_800_000_000_000, 2**53 - 1])
def test_a_policy_of_the_future_locks_nobody_out(gateway: Gateway, study: Study, issued_at: int) -> None:
    """Neither a careless owner, who counts in milliseconds, nor the buyer of the title from a spiteful owner."""
    refused = policy(gateway, study, False, issued_at)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.message.issuedAt")
    gateway.settle(transfer(study.dataset_id, gateway.head(study.dataset_id), STRANGER.address))
    assert policy(gateway, study, False, 100, STRANGER).status_code == 200
    assert policy(gateway, study, True, 101, STRANGER).status_code == 200


def test_an_owner_makes_so_many_statements_in_an_hour(tmp_path: Path) -> None:
    with open_node(tmp_path, max_statements_per_hour=2) as node, running(node) as gateway:
        study = Study(gateway)
        gateway.settle(study.message)
        assert [policy(gateway, study, True, number).status_code for number in (1, 2)] == [200, 200]
        refused = policy(gateway, study, True, 3)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert refused.json()["type"] == "/problems/limit-reached"
        assert 0 < int(refused.headers["retry-after"]) <= 3600
        assert publish(gateway, study, study.publication()).status_code == 200


def test_open_requests_are_capped_and_an_answer_makes_room(tmp_path: Path) -> None:
    """A1: an attacker with throw-away keys fills the cap, but not the chain."""
    with open_node(tmp_path, max_open_requests=3) as node, running(node) as gateway:
        study = Study(gateway)
        gateway.settle(study.message)

        def asking(by: Any) -> AccessRequest:
            return request(study.dataset_id).model_copy(update={"grantee": by.address})

        def ask(name: str) -> httpx.Response:
            by = owner(name)
            return gateway.send(asking(by), by)

        gateway.settle(request(study.dataset_id), ANALYST)
        # A request that is just being mined may count twice for a moment: never too many, sometimes too few.
        accepted = [answer for number in range(20) if (answer := ask(f"throw-away {number}")).status_code == 202]
        assert len(accepted) <= 2
        for answer in accepted:
            receipt = gateway.http.get(answer.headers["location"], params={"wait": 30}).json()
            gateway.wait_for_index(receipt["blockNumber"])
        for number in range(len(accepted), 2):
            by = owner(f"another throw-away {number}")
            gateway.settle(asking(by), by)
        assert ask("one too many").status_code == 409
        gateway.settle(grant(study.dataset_id))
        gateway.settle(asking(STRANGER), STRANGER)
        assert ask("still one too many").status_code == 409
        answer = gateway.http.get(f"/v1/datasets/{study.dataset_id}/request-policy").json()
        assert (answer["accepted"], answer["maxOpen"]) == (True, 3)


def test_a_request_counts_though_its_block_is_final_before_the_index_has_it(tmp_path: Path) -> None:
    """A1: with an index that was behind, a few requests more than the cap were accepted."""
    with open_node(tmp_path, start=False, max_open_requests=1) as node, running(node) as gateway:
        relayer = next(worker for worker in node._workers if worker.name == "relayer")
        relayer.start()
        message = gateway.registration()

        def finalize(answer: httpx.Response) -> None:
            assert answer.status_code == 202
            place = answer.headers["location"]
            eventually(lambda: gateway.http.get(place).json()["status"] == "final")

        finalize(gateway.send(message))
        finalize(gateway.send(request(message.dataset_id), ANALYST))
        another = request(message.dataset_id).model_copy(update={"grantee": STRANGER.address})
        assert gateway.send(another, STRANGER).status_code == 409


def test_one_account_has_few_open_requests_for_a_dataset(gateway: Gateway, study: Study) -> None:
    for number in range(3):
        gateway.settle(request(study.dataset_id, number), ANALYST)
    fourth = gateway.send(request(study.dataset_id, 3), ANALYST)
    assert (fourth.status_code, fourth.json()["title"]) == (409, "Conflict")
