"""Verification without the command line: one frozen report."""

from __future__ import annotations

import dataclasses
import json

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.rooms.deployment import parse_addresses
from registry.verification.bundle import verify
from registry.verification.report import Report
from registry.verification.trust import TrustOptions
from tests.evidence.stories import VECTORS

BUNDLE = (VECTORS / "bundles/withdrawn.tdr.json").read_bytes()
CASES = json.loads((VECTORS / "cases.json").read_text())
TRUST = next(case["trust"] for case in CASES if case["bundle"] == "withdrawn.tdr.json" and "hashes" in case["trust"])
DOCUMENT = json.loads(BUNDLE)
STRANGER = Address.parse("0x000000000000000000000000000000000000dEaD")


def report_of(source: bytes = BUNDLE, **contracts: Address) -> Report:
    return verify(source, TrustOptions(TRUST["hashes"], contracts=contracts))


def test_a_bundle_is_reported_with_all_steps_and_what_is_not_proven() -> None:
    report = report_of()
    titles = ["form", "blocks", "trust", "receipts", "history", "contracts", "head", "access", "record", "signatures"]
    assert [step.partition(":")[0] for step in report.steps[:11]] == [*titles, "content"]
    assert report.verified
    assert report.headline.startswith("VERIFIED, BUT VERSION 1 OF 2 AND WITHDRAWN ON ")
    assert report.record["datasetId"] == DOCUMENT["datasetId"]
    assert any("no content was compared" in line for line in report.not_proven)


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        report_of().refused = "x"  # type: ignore[misc]


def test_requirements_make_another_report() -> None:
    report = report_of()
    strict = report.requiring(active=True, latest=True)
    assert (report.verified, strict.verified, len(strict.missed)) == (True, False, 2)


def test_a_bundle_of_another_contract_is_refused() -> None:
    report = report_of(DatasetRegistry=STRANGER)
    assert (report.verified, report.headline) == (False, "EVIDENCE REFUSED")
    assert report.refused.startswith("Step 3 (trust): The bundle is of the contract ")


def test_a_pin_of_an_unknown_contract_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="no contract 'Nonsense'"):
        report_of(Nonsense=STRANGER)


def test_addresses_are_read_by_name() -> None:
    text = f"DatasetRegistry={STRANGER}, AccessGrants={STRANGER}"
    assert parse_addresses([text]) == {"DatasetRegistry": STRANGER, "AccessGrants": STRANGER}
    assert parse_addresses([]) == {}


@pytest.mark.parametrize("text", ["x", "=0x12", "A=", f"A={STRANGER},A={STRANGER}", "A=0x12"])
def test_other_texts_are_not_addresses_by_name(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_addresses([text])
