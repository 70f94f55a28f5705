"""Permissions on a dataset, through the command line."""

from __future__ import annotations

from pathlib import Path

from registry.keys.signer import Signer
from tests.e2e.registering import register
from tests.fixtures.commands import refused, yes
from tests.fixtures.nodes import Tdr
from tests.fixtures.waiting import wait_for_the_next_second


def test_access_is_as_granted_before_during_and_after(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    """C8, through the command line."""
    dataset, analyst = register(tdr, files)["datasetId"], keys["analyst"].address
    before = tdr("access", dataset, analyst, "--json")
    assert before.code == 1
    assert before.json["allowed"] is False
    grant = yes(tdr("grant", dataset, analyst, "--rights", "read,derive", "--until", "30d", "--key", "owner", "--json"))
    now = yes(tdr("access", dataset, analyst, "--json"))
    assert now["allowed"] is True
    assert now["rights"] == ["read", "derive"]
    assert now["startsAt"] == grant["startsAt"]
    assert now["expiresAt"] == grant["expiresAt"]
    assert now["asOfBlock"] >= grant["blockNumber"]
    assert tdr("access", dataset, analyst, "--at", "29d").code == 0
    assert tdr("access", dataset, analyst, "--at", grant["expiresAt"]).code == 1
    assert tdr("access", dataset, analyst, "--at", "2020-01-01").code == 1
    wait_for_the_next_second()
    yes(tdr("revoke", dataset, analyst, "--key", "owner", "--json"))
    assert tdr("access", dataset, analyst).code == 1
    # C15: that it was held before stays on record.
    assert tdr("access", dataset, analyst, "--at", grant["startsAt"]).code == 0


def test_a_request_changes_no_right(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = register(tdr, files)["datasetId"]
    asked = yes(
        tdr("request", dataset, "--rights", "read", "--until", "9d", "--purpose", "复现", "--key", "analyst", "--json")
    )
    analyst = keys["analyst"].address
    assert asked["grantee"] == str(analyst)
    assert tdr("access", dataset, analyst).code == 1


def test_a_key_that_is_not_the_owners_is_told_as_such(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = register(tdr, files)["datasetId"]
    analyst, owner = keys["analyst"].address, keys["owner"].address
    said = refused(tdr("grant", dataset, analyst, "--rights", "read", "--until", "1d", "--key", "analyst"))
    assert said.startswith(f"Only {owner} may do this, but this key signs for {analyst}.")


def test_the_owner_finds_who_asked_and_who_has_had_no_answer(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    dataset = register(tdr, files)["datasetId"]
    for key in ("analyst", "buyer"):
        yes(
            tdr(
                "request",
                dataset,
                "--rights",
                "read,index",
                "--until",
                "9d",
                "--purpose",
                f"为 {key}",
                "--key",
                key,
                "--json",
            )
        )
    yes(tdr("grant", dataset, keys["analyst"].address, "--rights", "read", "--until", "1d", "--key", "owner", "--json"))
    found = yes(tdr("requests", dataset, "--json"))
    assert [(one["grantee"], one["purpose"], one["rights"], one["granted"]) for one in found["items"]] == [
        (str(keys["buyer"].address), "为 buyer", ["read", "index"], False),
        (str(keys["analyst"].address), "为 analyst", ["read", "index"], True),
    ]
    unanswered = yes(tdr("requests", dataset, "--open", "--json"))["items"]
    assert [one["grantee"] for one in unanswered] == [str(keys["buyer"].address)]
    shown = tdr("requests", dataset)
    assert "为 analyst" in shown.out
    assert str(keys["buyer"].address) in shown.out


def test_a_title_passes_on_and_the_former_owner_can_do_no_more(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    """C2, through the command line."""
    dataset, buyer = register(tdr, files)["datasetId"], keys["buyer"].address
    yes(tdr("transfer", dataset, buyer, "--yes", "--key", "owner", "--json"))
    assert yes(tdr("show", dataset, "--json"))["owner"] == str(buyer)
    assert str(buyer) in refused(tdr("withdraw", dataset, "--yes", "--key", "owner"))
    yes(tdr("withdraw", dataset, "--reason", "Sold on", "--yes", "--key", "buyer", "--json"))
    shown = yes(tdr("show", dataset, "--json"))
    assert (shown["status"], shown["withdrawalReason"]) == ("withdrawn", "Sold on")
    kinds = [item["kind"] for item in yes(tdr("history", dataset, "--json"))["items"]]
    assert kinds == ["registered", "transferred", "withdrawn"]
    verified = yes(tdr("verify", files, "--dataset", dataset, "--json"))
    assert any("withdrew" in line for line in verified["notProven"])
    assert "withdrawn" in refused(tdr("revise", dataset, files, "--key", "buyer"))


def test_only_the_owner_may_grant_revise_and_withdraw(tdr: Tdr, files: Path, keys: dict[str, Signer]) -> None:
    """C2 and C8: the wrong key is refused, and the refusal names who had to sign."""
    dataset = register(tdr, files)["datasetId"]
    owner, stranger = str(keys["owner"].address), keys["buyer"].address
    for words in (
        ("grant", dataset, stranger, "--rights", "read", "--until", "1d"),
        ("revise", dataset, files),
        ("withdraw", dataset, "--yes"),
        ("transfer", dataset, stranger, "--yes"),
    ):
        assert owner in refused(tdr(*words, "--key", "buyer"))
