"""Which files of a folder belong to a dataset: ignore rules as git understands them, and symbolic links."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.manifest import STANDARD, Links, Selection, hash_path, hash_selected

PATTERNS = [
    "*.log",
    "!keep.log",
    "/build/",
    "tmp*/",
    "数据/*.bak",
    "**/cache",
    "a/**/z",
    "\\#x",
    "trailing\\ ",
    "[ab].txt",
]
PATHS = [
    "data.csv", "x.log", "keep.log", "sub/x.log", "sub/keep.log", "build/out", "sub/build/out", "tmp1/a", "sub/tmp/b",
    "tmpfile", "数据/a.bak", "数据/a.csv", "sub/cache/y", "a/b/c/z", "a/z", "#x", "trailing ", "a.txt", "c.txt",
]  # fmt: skip


def make(folder: Path, paths: list[str]) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def listed(folder: Path, selection: Selection = STANDARD) -> list[str]:
    return [entry.path for entry in hash_selected(folder, selection).manifest.entries]


def test_patterns_leave_out_what_git_leaves_out(tmp_path: Path) -> None:
    make(tmp_path, PATHS)
    (tmp_path / ".tdrignore").write_text("".join(f"{pattern}\n" for pattern in PATTERNS))
    git = ["git", "-c", "core.quotePath=false", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    command = [*git, "ls-files", "-z", "--others", "--exclude-from", ".tdrignore"]
    by_git = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")[:-1]
    assert listed(tmp_path) == sorted(by_git, key=str.encode)
    assert {"data.csv", "keep.log", ".tdrignore"} <= set(by_git) < {*PATHS, ".tdrignore"}


def test_what_git_status_rewrites_changes_no_root(tmp_path: Path) -> None:
    make(tmp_path, ["data.csv"])
    before = hash_selected(tmp_path, STANDARD)
    for words in (["init", "-q"], ["add", "."], ["status"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
        after = hash_selected(tmp_path, STANDARD)
        assert after.manifest == before.manifest
        assert after.left_out == (".git/",)
    assert len(hash_path(tmp_path).entries) > 1


def test_a_caller_s_pattern_overrides_the_folder_s_and_the_defaults(tmp_path: Path) -> None:
    make(tmp_path, ["a.log", ".DS_Store", "b"])
    (tmp_path / ".tdrignore").write_text("*.log\r\n")
    assert listed(tmp_path) == [".tdrignore", "b"]
    assert listed(tmp_path, Selection(patterns=("!a.log", "!.DS_Store", ".tdrignore"))) == [".DS_Store", "a.log", "b"]


def test_no_rule_leaves_out_what_is_kept(tmp_path: Path) -> None:
    make(tmp_path, ["sub/deep/a", "sub/deep/b", "c"])
    selected = hash_selected(tmp_path, Selection(patterns=("*",)).keeping(["sub/deep/a"]))
    assert [entry.path for entry in selected.manifest.entries] == ["sub/deep/a"]
    assert selected.left_out == ("c", "sub/deep/b")


@pytest.mark.parametrize("pattern", ["!", "\\", "[z-a]", "*a*a*a*a*b", "**/**/**/**/**/x"])
def test_a_pattern_that_cannot_be_read_or_costs_too_much_is_refused(tmp_path: Path, pattern: str) -> None:
    make(tmp_path, ["a"])
    (tmp_path / ".tdrignore").write_text(f"{pattern}\n")
    with pytest.raises(InvalidInput, match="ignore pattern"):
        hash_selected(tmp_path, STANDARD)


@pytest.mark.parametrize(("content", "fault"), [(b"\xff\xfe", "UTF-8"), (b"#" * 2**17, "bytes")])
def test_a_tdrignore_that_is_none_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / ".tdrignore").write_bytes(content)
    with pytest.raises(InvalidInput, match=fault):
        hash_selected(tmp_path, STANDARD)


def test_a_folder_of_which_all_is_left_out_is_refused(tmp_path: Path) -> None:
    make(tmp_path, [".git/x"])
    with pytest.raises(InvalidInput, match="no file") as refused:
        hash_selected(tmp_path, STANDARD)
    assert ".git/" in refused.value.hint


def test_links_are_refused_skipped_or_followed_to_files_inside(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    make(folder, ["sub/a.csv"])
    (folder / "link").symlink_to("sub/a.csv")
    with pytest.raises(InvalidInput, match="symbolic link") as refused:
        hash_selected(folder, STANDARD)
    assert "--links skip" in refused.value.hint
    skipped = hash_selected(folder, Selection(links=Links.SKIP))
    assert [entry.path for entry in skipped.manifest.entries] == ["sub/a.csv"]
    assert skipped.left_out == ("link",)
    followed = hash_selected(folder, Selection(links=Links.FOLLOW_INSIDE)).manifest
    (folder / "link").unlink()
    make(folder, [])
    (folder / "link").write_text("sub/a.csv")
    assert followed == hash_path(folder)


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "sub", "nowhere", "link", ".", "out/secret"])
def test_links_that_lead_elsewhere_are_not_followed(tmp_path: Path, target: str) -> None:
    make(tmp_path, ["folder/sub/a", "secret"])
    (tmp_path / "folder" / "link").symlink_to(target)
    if target.startswith("out/"):
        (tmp_path / "folder" / "out").symlink_to("..")
    with pytest.raises(InvalidInput):
        hash_selected(tmp_path / "folder", Selection(links=Links.FOLLOW_INSIDE))


def test_a_link_turned_outward_while_it_is_hashed_is_noticed(tmp_path: Path) -> None:
    make(tmp_path, ["folder/a", "secret"])
    link = tmp_path / "folder" / "link"
    link.symlink_to("a")

    def turn(done: int, total: int) -> None:
        if link.readlink() == Path("a"):
            link.unlink()
            link.symlink_to("../secret")

    with pytest.raises(InvalidInput):
        hash_selected(tmp_path / "folder", Selection(links=Links.FOLLOW_INSIDE), progress=turn)
