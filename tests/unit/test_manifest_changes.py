"""Hashing real folders and files that change meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.manifest import Manifest, hash_path
from tests.fixtures.waiting import wait_for_a_later_file_time

BIG = 3 << 20  # more than is read at once


def append(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b"more")


def overwrite_in_place(folder: Path, name: str) -> None:
    with (folder / name).open("r+b") as file:
        file.write(b"!")


def overwrite_and_set_the_time_back(folder: Path, name: str) -> None:
    before = (folder / name).stat()
    overwrite_in_place(folder, name)
    os.utime(folder / name, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_a_copy(folder: Path, name: str) -> None:
    copy = folder.parent / "copy"
    copy.write_bytes(b"")
    os.truncate(copy, (folder / name).stat().st_size)
    copy.replace(folder / name)


def replace_by_a_link(folder: Path, name: str) -> None:
    (folder / name).rename(folder.parent / "moved")
    (folder / name).symlink_to(folder.parent / "moved")


def remove(folder: Path, name: str) -> None:
    (folder / name).unlink()


def shorten(folder: Path, name: str) -> None:
    os.truncate(folder / name, 0)


def rename(folder: Path, name: str) -> None:
    (folder / name).rename(folder / f"{name}.new")


def add(folder: Path, name: str) -> None:
    (folder / name).with_suffix(".added").write_bytes(b"")


Change = Callable[[Path, str], None]
CHANGES: list[Change] = [
    append,
    overwrite_in_place,
    overwrite_and_set_the_time_back,
    replace_by_a_copy,
    replace_by_a_link,
    remove,
    shorten,
    rename,
    add,
]


def hash_while(change: Callable[[], None], path: Path) -> Manifest:
    """Hashes a path and makes a change when part of it is hashed."""
    made: list[int] = []

    def at_first(done: int, total: int) -> None:
        if not made:
            assert done < total, "the hashing ended before the change could be made"
            wait_for_a_later_file_time(path.parent)
            change()
        made.append(done)

    return hash_path(path, progress=at_first)


@pytest.mark.parametrize("name", ["big.bin", "a.csv", "sub/b.csv"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_folder_that_changes_while_it_is_hashed_is_refused(folder: Path, change: Change, name: str) -> None:
    (folder / "big.bin").touch()
    os.truncate(folder / "big.bin", BIG)
    with pytest.raises(InvalidInput) as caught:
        hash_while(lambda: change(folder, name), folder)
    assert f"{folder}/{name.partition('.')[0]}" in caught.value.message


@pytest.mark.parametrize(
    "change", [change for change in CHANGES if change is not add], ids=lambda change: change.__name__
)
def test_a_file_that_changes_while_it_is_hashed_is_refused(folder: Path, change: Change) -> None:
    os.truncate(folder / "a.csv", BIG)
    with pytest.raises(InvalidInput, match=r"a\.csv"):
        hash_while(lambda: change(folder, "a.csv"), folder / "a.csv")


def test_a_folder_replaced_while_it_is_hashed_is_refused(folder: Path) -> None:
    def replace() -> None:
        (folder / "sub").rename(folder.parent / "old")
        shutil.copytree(folder.parent / "old", folder / "sub")

    (folder / "big.bin").touch()
    os.truncate(folder / "big.bin", BIG)
    with pytest.raises(InvalidInput, match=r"sub/b\.csv"):
        hash_while(replace, folder)


def test_another_file_beside_a_hashed_file_may_change(folder: Path) -> None:
    os.truncate(folder / "a.csv", BIG)
    assert hash_while(lambda: add(folder, "a.csv"), folder / "a.csv").total_size == BIG


def test_an_error_of_the_progress_callback_is_not_taken_for_one_of_the_file(folder: Path) -> None:
    def fail() -> None:
        raise BrokenPipeError

    os.truncate(folder / "a.csv", BIG)
    for path in (folder, folder / "a.csv"):
        with pytest.raises(BrokenPipeError):
            hash_while(fail, path)
