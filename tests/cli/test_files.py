"""Where a command writes: files, what links lead to, devices and pipes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.cli.files import write
from tests.fixtures.waiting import PATIENCE

TO_STDOUT = "from pathlib import Path; from registry.cli.files import write; print('a'); write(b'b\\n', Path({!r}))"


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o755, 0o000])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, wanted: int) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"an older and longer one")
    file.chmod(wanted)
    write(b"new", file)
    assert mode(file) == wanted
    file.chmod(0o600)
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write(b"new", tmp_path / "f")
    assert mode(tmp_path / "f") == mode(tmp_path / "usual")


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    if exists:
        target.write_bytes(b"older")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/target")
    write(b"new", link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert list((tmp_path / "elsewhere").iterdir()) == [target]


def test_into_a_pipe_it_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(b"new", pipe)
    reader.join(PATIENCE)
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    link = tmp_path / "null"  # A device of the machine's is not put at risk: the link would be replaced, not it.
    link.symlink_to("/dev/null")
    write(b"new", link)
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1"])
def test_standard_output_by_its_name_is_standard_output(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-c", TO_STDOUT.format(name)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"a\nb\n"
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    with log.open("ab") as stream:
        subprocess.run(command, stdout=stream, check=True)
    assert log.read_bytes() == b"before\na\nb\n"


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match="is a folder"):
        write(b"new", Path(name))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_no_folder_and_a_link_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").write_bytes(b"")
    for file in (tmp_path / "nowhere" / "f", tmp_path / "circle", tmp_path / "file" / "f"):
        with pytest.raises(InvalidInput, match="cannot be written"):
            write(b"new", file)
