"""Requests, grants and revocations, and the answer of `accessOf` for every time."""

from __future__ import annotations

from typing import Any

import pytest

from .world import ZERO, ZERO_ADDRESS, Refusal, World

FAR = 2**255


@pytest.fixture
def grantee(world: World) -> str:
    return world.third.address


def test_an_unknown_pair_has_no_access(world: World, dataset: int, grantee: str) -> None:
    assert world.access(dataset, grantee, world.now) == (False, 0, 0, 0)
    assert world.counters(dataset, grantee) == (0, 0)
    assert world.grants.functions.REGISTRY().call() == world.registry.address


@pytest.mark.parametrize("by", ["owner", "operator", "signature"])
def test_a_grant_holds_from_its_start_until_before_its_end(world: World, dataset: int, grantee: str, by: str) -> None:
    """C8: access at time t holds exactly if granted, started, not expired; granted only by owner or operator."""
    start, end = world.now + 100, world.now + 200
    message = world.grant(dataset, rights=2**32 - 1, startsAt=start, expiresAt=end)
    receipt = world.act_as(by, "AccessGrant", message)
    for time, allowed in (
        (0, False),
        (start - 1, False),
        (start, True),
        (end - 1, True),
        (end, False),
        (2**255, False),
    ):
        assert world.access(dataset, grantee, time) == (allowed, 2**32 - 1, start, end)
    assert world.grants.events.AccessGranted().process_log(receipt["logs"][0])["args"] == {
        **{name: message[name] for name in ("datasetId", "grantee", "rights", "startsAt", "expiresAt", "termsHash")},
        "epoch": 1,
    }
    assert world.counters(dataset, grantee) == (1, 0)
    assert world.access(dataset, world.stranger.address, start)[0] is False


@pytest.mark.parametrize("starts_at", [0, 1])
def test_a_grant_is_never_backdated(world: World, dataset: int, grantee: str, starts_at: int) -> None:
    world.act("AccessGrant", world.grant(dataset, startsAt=starts_at))
    granted_at = world.now
    assert world.access(dataset, grantee, granted_at - 1)[0] is False
    assert world.access(dataset, grantee, granted_at)[:3] == (True, 3, granted_at)


@pytest.mark.parametrize("by", ["owner", "operator", "signature"])
def test_a_revocation_ends_access_now_and_not_before(world: World, dataset: int, grantee: str, by: str) -> None:
    """C8 and C15: not after its revocation; earlier access stays on record."""
    world.act("AccessGrant", world.grant(dataset))
    granted_at = world.now
    world.travel(granted_at + 100)
    receipt = world.act_as(by, "AccessRevocation", world.revocation(dataset))
    revoked_at = world.now
    assert world.access(dataset, grantee, granted_at) == (True, 3, granted_at, revoked_at)
    assert world.access(dataset, grantee, revoked_at - 1)[0] is True
    assert world.access(dataset, grantee, revoked_at)[0] is False
    assert world.access(dataset, grantee, FAR)[0] is False
    assert world.grants.events.AccessRevoked().process_log(receipt["logs"][0])["args"] == {
        "datasetId": dataset,
        "grantee": grantee,
        "epoch": 2,
    }


def test_a_grant_revoked_before_its_start_never_holds(world: World, dataset: int, grantee: str) -> None:
    start = world.now + 100
    world.act("AccessGrant", world.grant(dataset, startsAt=start, expiresAt=start + 100))
    world.act("AccessRevocation", world.revocation(dataset))
    assert not any(world.access(dataset, grantee, time)[0] for time in (world.now, start, start + 50, start + 100))


def test_revoking_an_expired_grant_changes_no_access(world: World, dataset: int, grantee: str) -> None:
    end = world.now + 50
    world.act("AccessGrant", world.grant(dataset, expiresAt=end))
    before = world.access(dataset, grantee, end - 1)
    world.travel(end + 100)
    world.act("AccessRevocation", world.revocation(dataset))
    assert world.access(dataset, grantee, end - 1) == before
    assert world.access(dataset, grantee, end)[0] is False


def test_there_is_nothing_to_revoke_before_a_grant_or_twice(world: World, dataset: int, grantee: str) -> None:
    refused = Refusal("NothingToRevoke", (dataset, grantee))
    assert world.refusal(world.call("AccessRevocation", world.revocation(dataset)), world.owner) == refused
    world.act("AccessRequest", world.request(dataset), world.third)
    assert world.refusal(world.call("AccessRevocation", world.revocation(dataset)), world.owner) == refused
    world.act("AccessGrant", world.grant(dataset))
    world.act("AccessRevocation", world.revocation(dataset))
    assert world.refusal(world.call("AccessRevocation", world.revocation(dataset)), world.owner) == refused


def test_a_later_grant_stands_in_place_of_the_earlier(world: World, dataset: int, grantee: str) -> None:
    world.act("AccessGrant", world.grant(dataset, rights=1))
    world.act("AccessRevocation", world.revocation(dataset))
    world.act("AccessGrant", world.grant(dataset, rights=4))
    assert world.access(dataset, grantee, world.now)[:3] == (True, 4, world.now)
    world.act("AccessGrant", world.grant(dataset, rights=8))
    assert world.access(dataset, grantee, world.now)[:3] == (True, 8, world.now)
    assert world.counters(dataset, grantee) == (4, 0)


def test_a_grant_survives_a_transfer_and_the_new_owner_may_revoke_it(world: World, dataset: int, grantee: str) -> None:
    """C8: a transfer keeps grants."""
    world.act("AccessGrant", world.grant(dataset))
    world.act("TitleTransfer", world.title_transfer(dataset))
    assert world.access(dataset, grantee, world.now)[0] is True
    revocation = world.call("AccessRevocation", world.revocation(dataset))
    assert world.refusal(revocation, world.owner) == Refusal(
        "NotAuthorised", (world.other.address, world.owner.address)
    )
    world.send(revocation, world.other)
    assert world.access(dataset, grantee, world.now)[0] is False


@pytest.mark.parametrize("kind", ["AccessGrant", "AccessRevocation"])
def test_somebody_who_is_no_owner_changes_no_access(world: World, dataset: int, grantee: str, kind: str) -> None:
    """C8 and C6: neither the grantee, a stranger, nor an account approved for the token only."""
    if kind == "AccessRevocation":
        world.act("AccessGrant", world.grant(dataset))
    message = world.grant(dataset) if kind == "AccessGrant" else world.revocation(dataset)
    world.send(world.registry.functions.approve(world.operator.address, dataset), world.owner)
    before = world.access(dataset, grantee, world.now)
    for sender in (world.stranger, world.third, world.operator):
        assert world.refusal(world.call(kind, message), sender) == Refusal(
            "NotAuthorised", (world.owner.address, sender.address)
        )
        signed = world.call(kind, message, world.sign(sender, kind, message))
        assert world.refusal(signed, world.relayer) == Refusal(
            "SignatureNotBySigner", (world.owner.address, world.digest(kind, message))
        )
    assert world.access(dataset, grantee, world.now) == before


def test_a_withdrawn_dataset_takes_no_grant_and_no_request_but_a_revocation(world: World, dataset: int) -> None:
    world.act("AccessGrant", world.grant(dataset))
    world.act("Withdrawal", world.withdrawal(dataset))
    refused = Refusal("DatasetWithdrawn", (dataset,))
    assert world.refusal(world.call("AccessGrant", world.grant(dataset)), world.owner) == refused
    assert world.refusal(world.call("AccessRequest", world.request(dataset)), world.third) == refused
    world.act("AccessRevocation", world.revocation(dataset))


def test_an_unknown_dataset_takes_no_grant_and_no_request(world: World) -> None:
    for kind, message in (("AccessGrant", world.grant(5)), ("AccessRequest", world.request(5))):
        assert world.refusal(world.call(kind, message), world.third) == Refusal("DatasetUnknown", (5,))


@pytest.mark.parametrize("signed", [False, True])
def test_a_request_is_counted_and_changes_no_right(world: World, dataset: int, grantee: str, signed: bool) -> None:
    world.act("AccessGrant", world.grant(dataset))
    before = world.access(dataset, grantee, world.now)
    for number in (1, 2):
        message = world.request(dataset, purpose="为了研究企鹅")
        if signed:
            receipt = world.relay("AccessRequest", message, world.third)
        else:
            receipt = world.act("AccessRequest", message, world.third)
        assert world.grants.events.AccessRequested().process_log(receipt["logs"][0])["args"] == {
            **{name: message[name] for name in ("datasetId", "grantee", "rights", "expiresAt", "purpose")},
            "requests": number,
        }
        assert world.counters(dataset, grantee) == (1, number)
    assert world.access(dataset, grantee, world.now) == before


def test_nobody_requests_for_somebody_else(world: World, dataset: int, grantee: str) -> None:
    call = world.call("AccessRequest", world.request(dataset))
    assert world.refusal(call, world.owner) == Refusal("NotAuthorised", (grantee, world.owner.address))


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"rights": 0}, Refusal("RightsEmpty")),
        ({"purpose": "x" * 513}, Refusal("StringTooLong", (513, 512))),
    ],
)
def test_a_malformed_request_is_refused(world: World, dataset: int, fields: dict[str, Any], refused: Refusal) -> None:
    call = world.call("AccessRequest", world.request(dataset, **fields))
    assert world.refusal(call, world.third) == refused


def test_a_request_for_a_time_gone_by_is_refused(world: World, dataset: int) -> None:
    call = world.call("AccessRequest", world.request(dataset, expiresAt=world.now))
    assert world.refusal(call, world.third).name == "TermEmpty"


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"rights": 0}, Refusal("RightsEmpty")),
        ({"grantee": ZERO_ADDRESS}, Refusal("GranteeZero")),
        ({"startsAt": 2**48 - 1, "expiresAt": 2**48 - 1}, Refusal("TermEmpty", (2**48 - 1, 2**48 - 1))),
        ({"startsAt": 2**48 - 1, "expiresAt": 2**48 - 2}, Refusal("TermEmpty", (2**48 - 1, 2**48 - 2))),
    ],
)
def test_a_malformed_grant_is_refused(world: World, dataset: int, fields: dict[str, Any], refused: Refusal) -> None:
    call = world.call("AccessGrant", world.grant(dataset, **fields))
    assert world.refusal(call, world.owner) == refused


def test_a_grant_that_ended_before_it_was_given_is_refused(world: World, dataset: int) -> None:
    world.travel(world.now + 100)
    call = world.call("AccessGrant", world.grant(dataset, startsAt=1, expiresAt=world.now - 1))
    assert world.refusal(call, world.owner).name == "TermEmpty"


@pytest.mark.parametrize("epoch", [0, 2, 2**32 - 1])
def test_a_message_that_follows_another_epoch_is_refused(world: World, dataset: int, grantee: str, epoch: int) -> None:
    world.act("AccessGrant", world.grant(dataset))
    refused = Refusal("EpochMismatch", (dataset, grantee, 1, epoch))
    assert world.refusal(world.call("AccessGrant", world.grant(dataset, epoch=epoch)), world.owner) == refused
    assert world.refusal(world.call("AccessRevocation", world.revocation(dataset, epoch=epoch)), world.owner) == refused


def test_a_request_that_follows_another_number_is_refused(world: World, dataset: int, grantee: str) -> None:
    call = world.call("AccessRequest", world.request(dataset, requests=1))
    assert world.refusal(call, world.third) == Refusal("RequestsMismatch", (dataset, grantee, 0, 1))


def test_a_grant_needs_no_terms(world: World, dataset: int, grantee: str) -> None:
    world.act("AccessGrant", world.grant(dataset, termsHash=ZERO))
    assert world.access(dataset, grantee, world.now)[0] is True
