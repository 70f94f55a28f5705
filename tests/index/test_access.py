"""Queries of the index about grants and requests for access."""

from __future__ import annotations

from typing import Any

from eth_account.signers.local import LocalAccount

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32
from registry.index.sync import Indexer
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.access.records import rights_names
from tests.index.activity import LATER, Activity, busy
from tests.index.answers import Answers, every
from tests.index.oracle import fold_chain


def test_every_grant_and_request_is_that_of_the_fold(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    """R4, through what is answered."""
    busy(activity, indexer)
    _, accesses = fold_chain(activity.chain, activity.deployment)
    now = activity.time
    for (dataset_id, grantee), access in accesses.items():
        grants = every(queries.grants, dataset_id=dataset_id, grantee=grantee, now=now)
        assert [(item["rightsMask"], item["termsHash"]) for item in reversed(grants)] == [
            (grant.rights, str(grant.terms_hash)) for grant in access.grants
        ]
        pair = queries.grantee(dataset_id, grantee, now)
        assert (pair["epoch"], pair["requests"]) == (access.epoch, len(access.requests))
        assert [item["purpose"] for item in reversed(pair["accessRequests"])] == [
            request.purpose for request in access.requests
        ]


def test_access_at_every_edge_of_every_grant_is_that_of_the_fold(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    """R4, through what is answered."""
    busy(activity, indexer)
    datasets, accesses = fold_chain(activity.chain, activity.deployment)
    now = activity.time
    for (dataset_id, grantee), access in accesses.items():
        edges = {0, now, now + 10_000} | {
            edge + step
            for grant in access.grants
            for edge in (grant.starts_at, grant.until, grant.at.timestamp)
            for step in (-1, 0, 1)
        }
        for time in edges:
            held = access.grant_at(time)
            answer = queries.access(dataset_id, grantee, time)
            assert answer["allowed"] == (held is not None)
            assert answer["rights"] == ([] if held is None else list(rights_names(held.rights)))
            deciding = access.deciding_grant(time)
            assert answer["reason"] == ("neverGranted" if deciding is None else deciding.state_at(time))
            assert (answer["reason"] == "active") == answer["allowed"]
            assert answer["datasetStatus"] == ("active" if datasets[dataset_id].withdrawal is None else "withdrawn")
            if deciding is not None:
                assert answer["term"]["rights"] == list(rights_names(deciding.rights))


def test_access_gives_its_reason_and_the_former_term(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    """U14: never granted, not begun, in force, expired and revoked are distinguished."""
    owner, reader = activity.people[0], activity.address(activity.people[1])
    message = activity.registration(owner)
    activity.send(owner, message)
    activity.mine()
    named: dict[str, Any] = {"dataset_id": message.dataset_id, "grantee": reader, "deadline": LATER}
    now = activity.time
    start, end = now + 1000, now + 2000
    terms = Bytes32(bytes(32))
    activity.send(owner, AccessGrant(**named, rights=5, starts_at=start, expires_at=end, terms_hash=terms, epoch=0))
    activity.mine()
    indexer.catch_up()

    def told(time: int, grantee: Address = reader) -> tuple[str, bool, bool]:
        answer = queries.access(message.dataset_id, grantee, time)
        return answer["reason"], answer["allowed"], answer["term"] is not None

    assert told(now, Address(b"\x01" * 20)) == ("neverGranted", False, False)
    assert told(now - 10**6) == ("scheduled", False, True)
    assert told(start - 1) == ("scheduled", False, True)
    assert told(start) == ("active", True, True)
    assert told(end - 1) == ("active", True, True)
    assert told(end) == ("expired", False, True)
    assert queries.access(message.dataset_id, reader, end)["term"]["rights"] == ["read", "aggregate"]
    activity.send(owner, AccessRevocation(**named, epoch=1))
    activity.mine()
    indexer.catch_up()
    assert told(end) == ("revoked", False, True)
    term = queries.access(message.dataset_id, reader, end)["term"]
    assert term["endsAt"] < term["startsAt"] < term["expiresAt"]


def test_a_grants_state_is_scheduled_active_expired_revoked_or_replaced(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    owner, grantee = activity.people[0], activity.address(activity.people[1])
    message = activity.registration(owner)
    activity.send(owner, message)
    activity.mine()
    named: dict[str, Any] = {"dataset_id": message.dataset_id, "grantee": grantee, "deadline": LATER}

    def grant(epoch: int, start: int, end: int) -> None:
        terms = Bytes32(bytes(31) + bytes([epoch]))
        activity.send(
            owner, AccessGrant(**named, rights=1, starts_at=start, expires_at=end, terms_hash=terms, epoch=epoch)
        )
        activity.mine()

    now = activity.time
    grant(0, now + 1000, now + 2000)
    grant(1, now + 1000, 2**48 - 1)
    activity.send(owner, AccessRevocation(**named, epoch=2))
    activity.mine()
    grant(3, now + 5000, now + 6000)
    indexer.catch_up()

    def states(time: int) -> list[str]:
        return [item["state"] for item in queries.grants(message.dataset_id, time)["items"]]

    assert states(now + 4999) == ["scheduled", "revoked", "replaced"]
    assert states(now + 5000) == ["active", "revoked", "replaced"]
    assert states(now + 5999) == ["active", "revoked", "replaced"]
    assert states(now + 6000) == ["expired", "revoked", "replaced"]
    assert queries.grants(message.dataset_id, now)["items"][1]["expiresAt"] == "9999-12-31T23:59:59Z"


def test_a_request_shows_what_was_asked_for(activity: Activity, indexer: Indexer, queries: Answers) -> None:
    owner, asker = activity.people[0], activity.people[1]
    message = activity.registration(owner, sources=())
    activity.send(owner, message)
    activity.mine()
    grantee = activity.address(asker)
    request = AccessRequest(
        dataset_id=message.dataset_id,
        grantee=grantee,
        rights=5,
        expires_at=4_000_000_000,
        purpose="A study",
        requests=0,
        deadline=LATER,
    )
    activity.send(asker, request)
    activity.mine()
    indexer.catch_up()
    (shown,) = queries.grantee(message.dataset_id, grantee, 0)["accessRequests"]
    assert (shown["rights"], shown["purpose"], shown["expiresAt"]) == (
        ["read", "aggregate"],
        "A study",
        "2096-10-02T07:06:40Z",
    )
    whole = queries.access_requests(message.dataset_id)
    assert whole["items"] == [{"grantee": str(grantee), **shown, "granted": False}]


def test_requests_are_paged_the_newest_first_and_know_of_grants_that_followed(
    activity: Activity, indexer: Indexer, queries: Answers
) -> None:
    owner, first, second = activity.people[:3]
    message = activity.registration(owner, sources=())
    activity.send(owner, message)
    activity.mine()

    def ask(person: LocalAccount, requests: int) -> None:
        activity.send(
            person,
            AccessRequest(
                dataset_id=message.dataset_id,
                grantee=activity.address(person),
                rights=1,
                expires_at=4_000_000_000,
                purpose=f"{requests}",
                requests=requests,
                deadline=LATER,
            ),
        )
        activity.mine()

    ask(first, 0)
    activity.send(
        owner,
        AccessGrant(
            dataset_id=message.dataset_id,
            grantee=activity.address(first),
            rights=1,
            starts_at=0,
            expires_at=4_000_000_000,
            terms_hash=ZERO_BYTES32,
            epoch=0,
            deadline=LATER,
        ),
    )
    activity.mine()
    ask(first, 1)
    ask(second, 0)
    indexer.catch_up()
    found = queries.access_requests(message.dataset_id, limit=2)
    found["items"] += queries.access_requests(message.dataset_id, limit=2, cursor=found["next"])["items"]
    assert [(one["grantee"], one["purpose"], one["granted"]) for one in found["items"]] == [
        (str(activity.address(second)), "0", False),
        (str(activity.address(first)), "1", False),
        (str(activity.address(first)), "0", True),
    ]
