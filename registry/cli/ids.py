"""Dataset ids as people type them: in full, or their beginning."""

from __future__ import annotations

import re

from registry.errors import InvalidInput

_ID = re.compile(r"(?:0x)?([0-9a-fA-F]{8,64})")


def id_text(text: str) -> str:
    """A dataset id, or the beginning of one, as the gateway takes it.

    Raises:
        InvalidInput: It is none.
    """
    match = _ID.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{text[:80]!r} is no dataset id, nor the first 8 or more of its 64 hex digits.")
    return f"0x{match[1].lower()}"
