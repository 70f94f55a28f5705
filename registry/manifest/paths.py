"""Paths in manifests: relative, ``/`` between the names, NFC, and the same file on every system.

A manifest made on one system must be checkable on all others. On some systems ``A`` and ``a`` are the same file, on
others a backslash separates folders, and a letter may be stored as one code point or as two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from unicodedata import is_normalized, normalize

from registry.base.errors import InvalidInput

_DRIVE = re.compile(r"[A-Za-z]:(/|$)")
_SUSPECT = re.compile(r"[\0\\]|(?:^|/)\.{0,2}(?:/|$)|^[A-Za-z]:(?:/|$)")


def normalise_path(path: str) -> str:
    """Return the path in NFC, as in manifests.

    Raises:
        InvalidInput: The path is not allowed; see check_path.
    """
    path = normalize("NFC", path)
    check_path(path)
    return path


def check_path(path: str) -> None:
    """Check that a path is allowed in a manifest.

    Raises:
        InvalidInput: The path is empty, absolute or not in NFC; it contains an empty name, ``.``, ``..``, NUL or a
            backslash; or it cannot be written in UTF-8.
    """
    fault = _fault(path)
    if fault:
        raise InvalidInput(f"The path {path!r} {fault}.")


def refuse_collisions(paths: Iterable[str]) -> None:
    """Check that no two files or folders have the same name, ignoring case and Unicode form.

    Args:
        paths: Checked paths of files.

    Raises:
        InvalidInput: Two names collide, or one is both a file and a folder.
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
    """Return a key that is equal for all spellings of a name that differ only in case and Unicode form."""
    return name.lower() if name.isascii() else normalize("NFC", name.casefold())


def _claim(spelling: str, spellings: dict[str, str]) -> None:
    name = spelling.removesuffix("/")
    key = collision_key(name)
    if key in spellings:
        raise InvalidInput(
            f"{spellings[key]!r} and {spelling!r} are the same name on systems that ignore case or Unicode form.",
            hint="Rename one of them.",
        )
    spellings[key] = spelling


def _fault(path: str) -> str:
    """Return what is wrong with a path; empty if nothing is."""
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
        return "is absolute; paths in a manifest are relative"
    if "\0" in path:
        return "contains a NUL character"
    if "\\" in path:
        return "contains a backslash; paths in a manifest have / between the names"
    if ".." in path.split("/"):
        return "contains '..'"
    return "contains an empty name or '.'"
