"""Reject names that are not what they look like: names equal in Unicode's NFC, and names in legacy encodings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from unicodedata import is_normalized, normalize

from registry.base.errors import InvalidInput
from registry.manifest.paths import collision_key

_FIRST_HANZI, _LAST_HANZI = "\u4e00", "\u9fff"
_HOW_TO_CONVERT: Final = (
    "Rename it. `convmv -r -f gbk -t utf8 --notest FOLDER` converts all names of a folder from GBK."
)


def refuse_twins(paths: Mapping[str, str], shown: Path) -> None:
    """Check that no two names on disk are equal in NFC. They print alike, so errors spell out their characters.

    Args:
        paths: The paths in a manifest, by those on disk.
        shown: The folder, for the error.

    Raises:
        InvalidInput: Two names are equal in NFC.
    """
    names: dict[str, str] = {}
    for name, path in paths.items():
        twin = names.setdefault(path, name)
        if twin != name:
            raise InvalidInput(
                f"Two names in {str(shown)!r} print alike and are the same name in Unicode's form NFC: "
                f"{_spelled(twin)} and {_spelled(name)}.",
                hint="Rename or remove one of them.",
            )


def refuse_one_name(names: Iterable[tuple[Path, str]]) -> None:
    """Check that no two paths that are hashed together would have the same name in the manifest.

    Args:
        names: The paths, each with its last name.

    Raises:
        InvalidInput: Two names are equal, ignoring case and Unicode form; or a path is given twice.
    """
    paths: dict[str, Path] = {}
    for path, name in names:
        other = paths.setdefault(collision_key(name), path)
        if other == path and other is not path:
            raise InvalidInput(f"{str(path)!r} is given twice.", hint="Give each path once.")
        if other != path:
            print_alike = normalize("NFC", str(path)) == normalize("NFC", str(other))
            first, second = (_spelled(str(item)) if print_alike else repr(str(item)) for item in (other, path))
            raise InvalidInput(
                f"{first} and {second} would both be {name!r} in the manifest, which keeps the last name of each path.",
                hint="Rename one of them, or give a folder that contains both.",
            )


def not_utf_8(shown: Path) -> InvalidInput:
    """Return the error for a name that is not UTF-8, with its reading in GBK if that is plausible."""
    raw = os.fsencode(shown)
    message = f"The name '{raw.decode('utf-8', 'backslashreplace')}' is not UTF-8"
    gbk = _as_gbk(os.fsencode(shown.name))
    return InvalidInput(f"{message}; in GBK it reads {gbk!r}." if gbk else f"{message}.", hint=_HOW_TO_CONVERT)


def _spelled(name: str) -> str:
    form = next((form for form in ("NFC", "NFD") if is_normalized(form, name)), "neither NFC nor NFD")
    return f"{name!a} ({form})"


def _as_gbk(name: bytes) -> str | None:
    """Return a name decoded from GBK, if it is printable and has a Chinese character."""
    try:
        decoded = name.decode("gbk")
    except UnicodeDecodeError:
        return None
    is_plausible = decoded.isprintable() and any(_FIRST_HANZI <= char <= _LAST_HANZI for char in decoded)
    return decoded if is_plausible else None
