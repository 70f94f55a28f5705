"""The journal of signatures about access: a later epoch is kept until its deadline, and only for its subject."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.keys.journal import FOLDER, Journal, JournalEntry

OWNER = Address(b"\x01" * 20)
LATER = JournalEntry(Bytes32(b"\x02" * 32), DatasetId(b"\x03" * 32), Address(b"\x04" * 20), epoch=2, deadline=1_000)
NOW = replace(LATER, epoch=0, deadline=2_000)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "keys", OWNER)


def test_without_a_signature_nothing_is_later(journal: Journal) -> None:
    assert journal.later_than(NOW, 0) is None


def test_a_later_epoch_is_told_until_its_deadline_has_passed(journal: Journal, tmp_path: Path) -> None:
    journal.add(LATER)
    again = Journal(tmp_path / "keys", OWNER)
    assert again.later_than(NOW, 1_000) == LATER
    assert again.later_than(NOW, 1_001) is None
    assert again.later_than(LATER, 0) is None
    assert again.later_than(replace(NOW, epoch=3), 0) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(NOW, domain=Bytes32(b"\x09" * 32)),
        replace(NOW, dataset_id=DatasetId(b"\x09" * 32)),
        replace(NOW, grantee=Address(b"\x09" * 20)),
    ],
    ids=["domain", "dataset", "grantee"],
)
def test_another_subject_is_not_in_the_way(journal: Journal, other: JournalEntry) -> None:
    journal.add(LATER)
    assert journal.later_than(other, 0) is None


def test_the_latest_of_several_is_told(journal: Journal) -> None:
    for epoch in (1, 5, 3):
        journal.add(replace(LATER, epoch=epoch))
    found = journal.later_than(NOW, 0)
    assert found is not None
    assert found.epoch == 5


def test_a_line_cut_off_by_a_crash_hides_no_other(journal: Journal, tmp_path: Path) -> None:
    journal.add(LATER)
    file = tmp_path / "keys" / FOLDER / f"{OWNER.hex()}.jsonl"
    file.write_text(file.read_text() + '{"domain": "0x02')
    assert journal.later_than(NOW, 0) == LATER
    journal.add(replace(LATER, epoch=7))
    found = journal.later_than(NOW, 0)
    assert found is not None
    assert found.epoch == 7


def test_a_journal_that_cannot_be_read_is_told(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "keys" / FOLDER / f"{OWNER.hex()}.jsonl"
    file.mkdir(parents=True)
    with pytest.raises(InvalidInput, match="cannot be read"):
        journal.later_than(NOW, 0)
    with pytest.raises(InvalidInput, match="cannot be written"):
        journal.add(NOW)
