"""Manifests from lists made by the tools themselves, and from bare digests."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.manifest import Manifest, compare, from_checksums, from_digests, hash_path

A = "a" * 64
NAMES = ["plain.csv", "with  spaces ", "数据.csv", "line\nend", "carriage\rreturn", "*star", "folder/inside", "-dash"]


def sha256sum(folder: Path, *options: str) -> str:
    """What the system's sha256sum prints for all files of a folder."""
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    command = ["sha256sum", *options, "--", *files]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("option", ["--text", "--binary"])
def test_a_list_by_sha256sum_agrees_with_the_folder_it_lists(folder: Path, option: str) -> None:
    found = hash_path(folder)
    listed = from_checksums(sha256sum(folder, option))
    assert compare(listed, found) == ()
    assert [entry.path for entry in listed.entries] == sorted(NAMES)
    assert listed.root == found.without_sizes().root != found.root


TOOLS = [
    ["sha256sum", "--tag"],
    ["shasum", "-a", "256"],
    ["shasum", "-a", "256", "--binary"],
    ["shasum", "-a", "256", "--tag"],
    ["openssl", "dgst", "-sha256"],
    ["openssl", "dgst", "-sha256", "-r"],
]
ODD_NAMES = ["a.csv", "with  spaces ", "数据.csv", "b (1) = c", "x) = y", "*star", " lead", "#hash"]


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_lists_of_other_tools_agree_with_the_folder(tmp_path: Path, tool: list[str], line_end: bytes) -> None:
    for name in ODD_NAMES:
        (tmp_path / name).write_text(name)
    printed = subprocess.run([*tool, *ODD_NAMES], cwd=tmp_path, check=True, stdout=subprocess.PIPE).stdout
    listed = from_checksums(printed.replace(b"\n", line_end).decode())
    assert listed == hash_path(tmp_path).without_sizes()


@pytest.mark.parametrize("tool", [TOOLS[0], TOOLS[1], TOOLS[-1]], ids=" ".join)
def test_names_that_other_tools_escape_are_read(tmp_path: Path, tool: list[str]) -> None:
    (tmp_path / "line\nend").write_text("1")
    printed = subprocess.run([*tool, "line\nend"], cwd=tmp_path, check=True, stdout=subprocess.PIPE).stdout
    assert from_checksums(printed.decode()) == hash_path(tmp_path).without_sizes()


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{A}  a\n{A}  b\n",
        f"{A}  a\r\n{A}  b\r\n",
        f"{A}  a\r\n{A}  b",
        f"\ufeff# made on Windows\r\n\r\n{A} *a\r\n   \r\n{A} *b\r\n",
        f"{A} a\n{A} b\n",
        f"SHA256 (a) = {A}\n{A}  b\n",
        f"# one\n\n{A}  a\n#\n{A}  b\n\n",
        f"SHA256(a)= {A}\nSHA2-256(b)= {A.upper()}\n",
    ],
)
def test_other_line_ends_marks_blank_lines_and_comments_change_nothing(text: str) -> None:
    assert from_checksums(text) == from_checksums(f"{A}  a\n{A}  b\n")


def test_a_list_without_marks_takes_stars_for_a_part_of_names() -> None:
    # As `sha256 -r` of BSD writes it; GNU sha256sum -c reads it so too.
    listed = from_checksums(f"{A} a\n{A} *star\n")
    assert [entry.path for entry in listed.entries] == ["*star", "a"]


def test_a_list_without_a_last_line_end_and_with_capitals_reads_the_same() -> None:
    assert from_checksums(f"{A}  b\n{A} *c") == from_checksums(f"{A.upper()}  b\n{A} *c\n")


def test_paths_as_find_prints_them_lose_their_dot() -> None:
    assert [entry.path for entry in from_checksums(f"{A}  ./b/c\n\\{A}  ./d\\ne\n").entries] == ["b/c", "d\ne"]


def test_decomposed_names_are_listed_in_nfc() -> None:
    assert from_checksums(f"{A}  cafe\u0301\n").entries[0].path == "caf\u00e9"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "at least one file"),
        ("\n", "at least one file"),
        ("# nothing\r\n", "at least one file"),
        (f"{A}  a\r\n{A}  b\n", "Line 1.*CRLF"),
        (f"{A}  a\n{A}  b\r\n", "Line 2.*CRLF"),
        (f"{A}  a\n{A} b\n", "Line 2.*one space"),
        (f" {A}  a\n", "Line 1"),
        (f"{A}  \n", "Line 1"),
        (f"{A[1:]}  a\n", "Line 1"),
        (f"{A}a  a\n", "Line 1"),
        (f"SHA256 (a) = {A}0\n", "Line 1"),
        (f"SHA512 (a) = {A}{A}\n", "Line 1.*SHA512"),
        (f"SHA3-256(a)= {A}\n", "Line 1.*SHA3-256"),
        (f"MD5 (a) = {A[:32]}\n", "Line 1.*MD5"),
        (f"SHA256 () = {A}\n", "Line 1"),
        (f"  # comment\n{A}  a\n", "Line 1"),
        (f"\\{A}  a\\tb\n", "unknown escape"),
        (f"\\{A}  a\\\n", "unknown escape"),
        (f"\\{A}  a\\\\b\n", "backslash"),
        (f"{A}  a\\b\n", "backslash"),
        (f"{A}  /etc/passwd\n", "Line 1.*absolute"),
        (f"{A}  ../a\n", "Line 1.*'..'"),
        (f"{A}  a\n{A}  a\n", "twice"),
        (f"{A}  ./a\n{A}  a\n", "twice"),
        (f"{A}  a\n{A}  A\n", "the same name"),
    ],
)
def test_a_list_that_is_not_one_is_refused_and_the_fault_named(text: str, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        from_checksums(text)


def test_digests_make_the_manifest_that_their_list_makes() -> None:
    digest = Bytes32(sha256(b"content").digest())
    manifest = from_digests({"b": digest, "cafe\u0301": digest})
    assert manifest == from_checksums(f"{digest.hex()}  caf\u00e9\n{digest.hex()}  b\n")
    assert Manifest.parse(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    ("paths", "fault"),
    [([], "at least one"), (["/a"], "absolute"), (["a", "A"], "the same name"), (["caf\u00e9", "cafe\u0301"], "twice")],
)
def test_digests_without_a_manifest_are_refused(paths: list[str], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        from_digests(dict.fromkeys(paths, Bytes32(b"\x07" * 32)))
