"""Paths as arguments: an empty one is a mistake, and never the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.fixtures.commands import refused

ID = "0x" + "ab" * 32


@pytest.mark.parametrize(
    "words",
    [
        ("register", ""),
        ("register", "--list", ""),
        ("register", ".", "--manifest", ""),
        ("register", ".", "--metadata", ""),
        ("register", ".", "--password-file", ""),
        ("revise", ID, ""),
        ("find", ""),
        ("verify", "", "--dataset", ID),
        ("verify", ".", "--manifest", ""),
        ("verify", ".", "--bundle", "", "--block-hash", "0x12"),
        ("verify", ".", "--bundle", "x", "--trust", ""),
        ("verify", ".", "--credential", "", "--issuer", "did:key:z"),
        ("watch", "", "--dataset", ID, "--once"),
        ("watch", ".", "--dataset", ID, "--once", "--manifest", ""),
        ("export", ID, "-o", ""),
        ("export", ID, "--manifest", ""),
        ("certificate", ID, "-o", ""),
        ("describe", ID, "-o", ""),
        ("lineage", ID, "-o", ""),
        ("keys", "list", "--keys", ""),
        ("index", "check", "--data", ""),
        ("up", "--data", ""),
        ("witness", "key", "--data", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_refused_and_nothing_is_done(
    tdr: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """A shell's variable that is not set must not publish the names in whatever folder one is in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert "The path of a file or folder is empty" in refused(tdr(*words))
    assert list(folder.iterdir()) == []


def test_a_name_that_is_too_long_is_nothing_that_could_be_found(tdr: Run) -> None:
    assert "neither a file or folder here" in refused(tdr("find", "a" * 300))
