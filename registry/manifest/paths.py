"""Paths in manifests: relative, ``/`` between the names, NFC, the same file on every system.

A manifest made on one system has to check on all others: on some of them ``A`` and ``a`` are one file, on others a
backslash divides folders, and the same letter may be stored as one code point or as two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import is_normalized, normalize

from registry.base.errors import InvalidInput

_DRIVE = re.compile(r"[A-Za-z]:(/|$)")
_SUSPECT = re.compile(r"[\0\\]|(?:^|/)\.{0,2}(?:/|$)|^[A-Za-z]:(?:/|$)")


def normalise_path(path: str) -> str:
    """The path in NFC, as manifests hold it.

    Raises:
        InvalidInput: As check_path does.
    """
    path = normalize("NFC", path)
    check_path(path)
    return path


def check_path(path: str) -> None:
    """Checks that a path may stand in a manifest.

    Raises:
        InvalidInput: It is empty, absolute or not in NFC; it has an empty name, ``.``, ``..``, NUL or a backslash in
            it; or it cannot be written in UTF-8.
    """
    fault = _fault(path)
    if fault:
        raise InvalidInput(f"The path {path!r} {fault}.")


def refuse_collisions(paths: Iterable[str]) -> None:
    """Checks that no two files or folders have one name where case and Unicode form do not count.

    Args:
        paths: Checked paths of files.

    Raises:
        InvalidInput: Two collide, or one is both a file and a folder.
    """
    spellings: dict[str, str] = {}
    folders: set[str] = set()
    for path in paths:
        _claim(path, spellings)
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            _claim(f"{folder}/", spellings)
            folder = folder.rpartition("/")[0]


def collision_key(name: str) -> str:
    """Return what is equal for all spellings of a name that are one where case and Unicode form do not count."""
    return name.lower() if name.isascii() else normalize("NFC", name.casefold())


def _claim(spelling: str, spellings: dict[str, str]) -> None:
    name = spelling.removesuffix("/")
    key = collision_key(name)
    if key in spellings:
        raise InvalidInput(
            f"{spellings[key]!r} and {spelling!r} are one name on systems that ignore case or Unicode form.",
            hint="Rename one of them.",
        )
    spellings[key] = spelling


def _fault(path: str) -> str:
    """What is wrong with a path, or nothing."""
    if not path.isascii():
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            return "cannot be written in UTF-8"
        if not is_normalized("NFC", path):
            return "is not in Unicode's normal form NFC"
    return _fault_in_form(path) if _SUSPECT.search(path) else ""


def _fault_in_form(path: str) -> str:
    if not path:
        return "is empty"
    if path.startswith("/") or _DRIVE.match(path):
        return "is absolute; a manifest's paths are relative"
    if "\0" in path:
        return "has a NUL character in it"
    if "\\" in path:
        return "has a backslash in it; a manifest's paths have / between the names"
    if ".." in path.split("/"):
        return "has '..' in it"
    return "has an empty name or '.' in it"
