"""Dataset ids as people type them: in full or their beginning, and perhaps a version."""

from __future__ import annotations

import re
from typing import Final

from registry.base.errors import InvalidInput

MAX_VERSION: Final = 2**24 - 1
_ID: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{8,64})")


def id_text(text: str) -> str:
    """Return a dataset id, or the beginning of one, as the gateway takes it.

    Raises:
        InvalidInput: It is neither, or names a version.
    """
    match = _ID.fullmatch(text)
    if match is not None:
        return f"0x{match[1].lower()}"
    if _ID.fullmatch(text.partition("@")[0]):
        raise InvalidInput(
            f"{text[:80]!r} names a version, but this concerns the dataset as a whole.", hint="Leave out the @ part."
        )
    raise InvalidInput(f"{text[:80]!r} is no dataset id: expected 64 hex digits, or at least the first 8 of them.")


def id_and_version(text: str, version: int | None = None) -> tuple[str, int | None]:
    """Return a dataset id or the beginning of one, and the number of a version, if any is given.

    Args:
        text: ID, or ID@VERSION.
        version: The version that an option gives, or None.

    Raises:
        InvalidInput: It is not that, or the two versions differ.
    """
    beginning, at, number = text.partition("@")
    if not at:
        return id_text(text), version
    if not (number.isascii() and number.isdigit() and len(number) <= 8 and 1 <= int(number) <= MAX_VERSION):
        raise InvalidInput(f"After the @ comes the number of a version, 1 or higher; got {number[:40]!r}.")
    if version not in (None, int(number)):
        raise InvalidInput(f"{text[:80]!r} names version {int(number)}, but --version {version} is given.")
    return id_text(beginning), int(number)
