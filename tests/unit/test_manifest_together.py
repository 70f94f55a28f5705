"""Several files and folders in one manifest: their names, and refused input."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from unicodedata import normalize

import pytest

from registry.base.errors import InvalidInput
from registry.manifest import STANDARD, Links, Manifest, Selection, from_checksums, hash_path, hash_together


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A folder with two files and a folder of two."""
    top = tmp_path / "top"
    for name in ("a.csv", "b.csv", "数据/c.csv", "数据/内/d.csv"):
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name}\n")
    return top


def together(*paths: str | Path, selection: Selection = STANDARD) -> Manifest:
    return hash_together(paths, selection).manifest


def names(manifest: Manifest) -> list[str]:
    return [entry.path for entry in manifest.entries]


def test_several_paths_are_named_as_in_a_folder_that_holds_them(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any location, in any order, and named from any folder."""
    expected = subprocess.run(
        ["sha256sum", "a.csv", "b.csv", "数据/c.csv", "数据/内/d.csv"], cwd=top, capture_output=True, check=True
    )
    given = [top / "a.csv", top / "b.csv", top / "数据"]
    found = together(*given)
    assert found.without_sizes() == from_checksums(expected.stdout.decode())
    assert together(*reversed(given)) == found == hash_path(top)
    elsewhere = top.parent / "elsewhere"
    elsewhere.mkdir()
    (top / "b.csv").rename(elsewhere / "b.csv")
    monkeypatch.chdir(elsewhere)
    assert together("../top/a.csv", "b.csv", "../top/数据/") == found
    monkeypatch.chdir(top / "数据")
    assert together(top / "a.csv", elsewhere / "b.csv", ".") == found
    monkeypatch.chdir(top / "数据" / "内")
    assert together("../../a.csv", elsewhere / "b.csv", "..") == found


def test_one_path_has_the_names_that_it_has_by_itself(top: Path) -> None:
    assert names(together(top / "数据")) == ["c.csv", "内/d.csv"]
    assert names(together(top / "数据", top / "a.csv")) == ["a.csv", "数据/c.csv", "数据/内/d.csv"]


def make_files(top: Path, *files: str) -> None:
    for name in files:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("x")


@pytest.mark.parametrize(
    ("files", "given", "told"),
    [
        (("p/x.csv", "q/x.csv"), ("p/x.csv", "q/x.csv"), ("p/x.csv", "q/x.csv")),
        (("p/x/1", "q/x/2"), ("p/x", "q/x/"), ("p/x", "q/x")),
        (("p/x/1", "q/x"), ("q/x", "p/x"), ("q/x", "p/x")),
        (("p/Daten/1", "q/daten/2"), ("p/Daten", "q/daten"), ("p/Daten", "q/daten")),
        (("p/caf\u00e9", "q/cafe\u0301"), ("p/caf\u00e9", "q/cafe\u0301"), ("p/caf", "q/caf")),
        (("p/x",), ("p/x", "./p/x"), ("p/x", "twice")),
    ],
    ids=["files", "folders", "file and folder", "case", "Unicode form", "twice"],
)
def test_two_paths_with_one_name_are_refused_and_both_are_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: Sequence[str],
    given: Sequence[str],
    told: Sequence[str],
) -> None:
    make_files(tmp_path, *files)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        together(*given)
    assert all(part in caught.value.message for part in told)


def test_twins_that_print_alike_are_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "caf\u00e9", "cafe\u0301")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=r"'caf\\xe9' \(NFC\) and 'cafe\\u0301' \(NFD\)"):
        together("caf\u00e9", "cafe\u0301")


def test_names_are_brought_to_nfc(tmp_path: Path) -> None:
    make_files(tmp_path, "cafe\u0301/1", "x")
    assert names(together(tmp_path / "cafe\u0301", tmp_path / "x")) == [normalize("NFC", "cafe\u0301/1"), "x"]


def test_a_path_without_a_name_is_refused_before_anything_is_read(top: Path) -> None:
    with pytest.raises(InvalidInput, match="'/' has no name"):
        together("/", top)


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xca\xfd\xbe\xdd")
    make_files(Path(folder), "1")
    make_files(tmp_path, "x")
    with pytest.raises(InvalidInput, match="in GBK it reads '数据'"):
        together(folder, tmp_path / "x")


def test_rules_hold_in_each_folder_as_where_it_is_given_alone(tmp_path: Path) -> None:
    make_files(tmp_path, "one/1", "one/1.log", "one/old/1", "two/1", "two/1.log", "two/old/1", "x.log")
    (tmp_path / "one/.tdrignore").write_text("/old/\n")
    given = [tmp_path / name for name in ("one", "two", "x.log")]
    selection = Selection(patterns=("*.log",))
    selected = hash_together(given, selection)
    assert names(selected.manifest) == ["one/.tdrignore", "one/1", "two/1", "two/old/1", "x.log"]
    assert selected.left_out == ("one/1.log", "one/old/", "two/1.log")
    assert [pattern for pattern in selected.patterns if pattern in ("/old/", "*.log")] == ["/old/", "*.log"]
    kept = hash_together(given, selection.keeping(["one/old/1", "two/1.log"]))
    assert names(kept.manifest)[2:] == ["one/old/1", "two/1", "two/1.log", "two/old/1", "x.log"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda top: (top / "link").symlink_to(top / "a.csv"), "symbolic link"),
        (lambda top: (top / "link").mkdir(), "no file in"),
        (lambda top: os.mkfifo(top / "link"), "a FIFO"),
        (lambda top: None, "No such file"),
    ],
    ids=["link", "empty folder", "FIFO", "nothing"],
)
def test_each_path_is_refused_for_what_it_would_be_refused_for_alone(
    top: Path, make: Callable[[Path], object], said: str
) -> None:
    make(top)
    with pytest.raises(InvalidInput, match=said) as caught:
        together(top / "a.csv", top / "link")
    assert repr(str(top / "link")) in caught.value.message


def test_a_link_to_another_path_that_is_given_leads_out_of_its_folder(top: Path) -> None:
    (top / "数据" / "link").symlink_to(top / "a.csv")
    with pytest.raises(InvalidInput, match="points outside the folder"):
        together(top / "a.csv", top / "数据", selection=Selection(links=Links.FOLLOW_INSIDE))
    skipped = hash_together([top / "a.csv", top / "数据"], Selection(links=Links.SKIP))
    assert skipped.left_out == ("数据/link",)


@pytest.mark.parametrize("changed", ["a.csv", "数据/c.csv"])
def test_what_changes_while_others_are_hashed_is_refused_whichever_path_it_is_below(top: Path, changed: str) -> None:
    """The manifest has to be a state that all paths had at one moment: a.csv is hashed when the change is made."""
    seen: list[int] = []

    def write_at_first(done: int, total: int) -> None:
        if not seen:
            assert done < total
            (top / changed).write_text("changed, and longer than before\n")
        seen.append(done)

    with pytest.raises(InvalidInput, match="changed while it was hashed") as caught:
        hash_together([top / "a.csv", top / "数据"], STANDARD, progress=write_at_first)
    assert changed in caught.value.message
