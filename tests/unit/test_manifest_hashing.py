"""Hashing of real folders: files that are read, and input that is refused."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from registry.base.errors import InvalidInput
from registry.manifest import compare, hash_path, hashing
from tests.fixtures.tools import need

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "manifest" / "valid.json").read_text("utf-8"))
BIG = 3 << 20  # more than is read at once
LINUX = "Only Linux has /proc: run the tests there."


def refusal(path: Path | str) -> str:
    with pytest.raises(InvalidInput) as caught:
        hash_path(path)
    return caught.value.message


# What is read


@pytest.mark.parametrize("name", ["Chinese, accents and emoji", "spaces and dots in names", "33 files"])
def test_a_folder_has_the_root_that_another_implementation_gives(tmp_path: Path, name: str) -> None:
    vector = next(vector for vector in VECTORS if vector["name"] == name)
    for leaf in map(json.loads, vector["leaves"]):
        (tmp_path / leaf["path"]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / leaf["path"]).write_text(leaf["path"], "utf-8")
    assert str(hash_path(tmp_path).root) == vector["root"]


def test_a_file_has_the_root_that_another_implementation_gives(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(b"a,b\n1,2\n")
    assert str(hash_path(file).root) == VECTORS[0]["root"]


def test_path_hash_and_size_of_each_file_are_listed(folder: Path) -> None:
    entries = [(entry.path, bytes(entry.sha256), entry.size, entry.salt) for entry in hash_path(folder).entries]
    assert entries == [("a.csv", sha256(b"a").digest(), 1, None), ("sub/b.csv", sha256(b"b").digest(), 1, None)]


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3 << 18])
def test_files_around_the_size_of_the_buffer_are_hashed_whole(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    (tmp_path / "file").write_bytes(content)
    (entry,) = hash_path(tmp_path / "file").entries
    assert (entry.sha256.hex(), entry.size) == (sha256(content).hexdigest(), size)


def test_the_way_the_path_is_written_does_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = hash_path(folder)
    monkeypatch.chdir(folder)
    for path in (".", "./", f"{folder}/", "sub/..", str(folder / "sub" / ".."), Path()):
        assert hash_path(path) == expected
    assert hash_path("a.csv") == hash_path(folder / "a.csv")


def test_hidden_files_are_not_left_out(folder: Path) -> None:
    (folder / ".git").mkdir()
    for name in (".git/config", ".DS_Store", "Thumbs.db", "b.csv~"):
        (folder / name).write_bytes(b"")
    paths = {entry.path for entry in hash_path(folder).entries}
    assert paths == {".git/config", ".DS_Store", "Thumbs.db", "b.csv~", "a.csv", "sub/b.csv"}


def test_the_order_in_which_files_were_made_does_not_change_the_root(tmp_path: Path) -> None:
    """R8: the root does not depend on walk order."""
    names = [f"{n % 7}/{n}" for n in range(200)]
    roots = set()
    for seed in range(3):
        random.Random(seed).shuffle(names)
        for name in names:
            (tmp_path / str(seed) / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / str(seed) / name).write_text(name)
        roots.add(hash_path(tmp_path / str(seed)).root)
    assert len(roots) == 1


def test_a_decomposed_name_is_listed_in_nfc(folder: Path) -> None:
    """R8: normalising is idempotent, on disk too."""
    (folder / "cafe\u0301").write_bytes(b"")
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    (copy / "cafe\u0301").rename(copy / "caf\u00e9")
    assert hash_path(folder) == hash_path(copy)
    assert hash_path(folder).entries[1].path == "caf\u00e9"


def test_folders_deeper_than_python_recurses_are_read(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1200)
    subprocess.run(["mkdir", "-p", deep], cwd=tmp_path, check=True)  # os.makedirs recurses, as shutil.rmtree does
    try:
        (tmp_path / deep / "file").write_bytes(b"")
        assert hash_path(tmp_path).entries[0].path == f"{deep}/file"
    finally:
        subprocess.run(["rm", "-r", "d"], cwd=tmp_path, check=True)


def test_folders_without_files_leave_no_trace(folder: Path) -> None:
    before = hash_path(folder)
    (folder / "empty" / "inside").mkdir(parents=True)
    assert hash_path(folder) == before


def test_a_link_on_the_way_to_the_folder_is_followed(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder.parent)
    assert hash_path(folder.parent / "link" / "data") == hash_path(folder)
    (folder / "link").symlink_to("sub")
    assert hash_path(folder / "link" / "b.csv") == hash_path(folder / "sub" / "b.csv")


def test_a_private_manifest_has_salts_and_the_same_content(folder: Path) -> None:
    private = hash_path(folder, private=True)
    assert private.is_private
    assert private.root != hash_path(folder, private=True).root
    assert compare(private, hash_path(folder)) == ()


@pytest.mark.parametrize(("seconds", "most"), [(0.0, 2), (0.01, None)], ids=["no time passes", "time passes"])
def test_progress_is_told_sparingly_and_ends_with_everything(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, most: int | None
) -> None:
    """With a clock that advances by this many seconds with each reading."""
    size = 64 << 20
    os.truncate(folder / "a.csv", size)
    told: list[tuple[int, int]] = []
    reads = itertools.count()
    monkeypatch.setattr(hashing, "time", SimpleNamespace(monotonic=lambda: next(reads) * seconds))
    hash_path(folder, progress=lambda done, total: told.append((done, total)))
    assert told[0][0] < size
    assert told[-1] == (size + 1, size + 1)
    assert told == sorted(told)
    assert {total for _, total in told} == {size + 1}
    assert len(told) <= 2 + next(reads) * seconds * 20
    assert most is None or len(told) <= most


# What is refused


def test_an_empty_path_is_refused() -> None:
    assert "got an empty path" in refusal("")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert f"no file in '{tmp_path}'" in refusal(tmp_path)


def test_a_folder_of_empty_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert f"no file in '{tmp_path}'" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["missing", "missing/below", "a.csv/below", "nul\0", "x" * 5000])
def test_a_path_without_a_file_is_refused(folder: Path, name: str) -> None:
    assert refusal(folder / name).startswith(f"{str(folder / name)!r} cannot be read: ")


@pytest.mark.parametrize("target", ["a.csv", "sub", "missing", "/etc/passwd", "link"])
def test_a_symbolic_link_in_a_folder_is_refused(folder: Path, target: str) -> None:
    (folder / "sub" / "link").symlink_to(target)
    assert f"'{folder}/sub/link' is a symbolic link" in refusal(folder)


@pytest.mark.parametrize("target", ["a.csv", "sub"])
def test_a_symbolic_link_itself_is_refused(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    assert f"'{folder}/link' is a symbolic link" in refusal(folder / "link")


def test_a_fifo_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "sub" / "fifo")
    assert f"'{folder}/sub/fifo' is a FIFO" in refusal(folder)
    assert f"'{folder}/sub/fifo' is a FIFO" in refusal(folder / "sub" / "fifo")


def test_a_socket_is_refused(folder: Path) -> None:
    os.mknod(folder / "socket", stat.S_IFSOCK | 0o600)
    assert f"'{folder}/socket' is a socket" in refusal(folder)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_refused(device: str) -> None:
    assert f"'{device}' is a device" in refusal(device)


@pytest.mark.parametrize("names", [("README", "readme"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "STRASSE")])
def test_names_equal_after_nfc_and_casefold_are_refused(folder: Path, names: tuple[str, str]) -> None:
    """R8: no two manifest entries collide under NFC + casefold."""
    for name in names:
        (folder / name).write_bytes(b"")
    assert "are the same name" in refusal(folder)


def test_folders_equal_after_casefold_are_refused(folder: Path) -> None:
    """R8: files of two folders would end up in one."""
    (folder / "SUB").mkdir()
    (folder / "SUB" / "c.csv").write_bytes(b"")
    assert "the same name" in refusal(folder)


def test_a_backslash_in_a_name_is_refused(folder: Path) -> None:
    (folder / "a\\b").write_bytes(b"")
    assert "'a\\\\b' contains a backslash" in refusal(folder)


@pytest.mark.parametrize("name", [b"\xff.csv", b"caf\xe9", b"\xed\xa0\x80"])
def test_a_name_that_is_not_utf8_is_refused(folder: Path, name: bytes) -> None:
    (folder / "sub" / os.fsdecode(name)).write_bytes(b"")
    message = refusal(folder)
    assert "is not UTF-8" in message
    assert f"{folder}/sub/" in message
    message.encode()  # can be printed


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder with an unreadable file and an unreadable folder in it; root, whom nothing stops, steps down for it."""
    top = Path(tempfile.mkdtemp(prefix="locked-"))
    (top / "folder").mkdir()
    (top / "folder" / "inside").write_bytes(b"")
    (top / "file").write_bytes(b"")
    top.chmod(0o755)
    (top / "file").chmod(0)
    (top / "folder").chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield top
    os.seteuid(user)
    (top / "folder").chmod(0o700)
    shutil.rmtree(top)


def test_an_unreadable_file_is_refused(locked: Path) -> None:
    assert refusal(locked / "file") == f"'{locked}/file' cannot be read: Permission denied."


def test_an_unreadable_folder_is_refused(locked: Path) -> None:
    assert refusal(locked) == f"'{locked}/folder' cannot be read: Permission denied."
    assert refusal(locked / "folder") == f"'{locked}/folder' cannot be read: Permission denied."


def test_a_file_whose_reading_fails_is_refused() -> None:
    need(Path("/proc/self/mem").exists(), LINUX)
    assert refusal("/proc/self/mem") == "'/proc/self/mem' cannot be read: Input/output error."


def test_a_file_that_holds_more_than_its_size_is_refused() -> None:
    """Files of the kernel have the size 0 and content all the same; they are not hashed as empty files."""
    need(Path("/proc/self/status").exists(), LINUX)
    assert "'/proc/self/status' changed while" in refusal("/proc/self/status")


def test_no_file_stays_open_after_success_or_refusal(folder: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    hash_path(folder)
    (folder / "sub" / "link").symlink_to("b.csv")
    refusal(folder)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_hashing_needs_no_module_of_the_chain_or_the_gateway() -> None:
    code = "import sys, registry.manifest, registry.base.merkle; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    packages = {name.partition(".")[0] for name in loaded}
    heavy = {"web3", "eth", "eth_account", "eth_abi", "eth_utils", "eth_tester", "httpx", "sqlalchemy", "fastapi"}
    assert not packages & (heavy | {"rich", "typer", "uvicorn", "asyncio", "logging"})
