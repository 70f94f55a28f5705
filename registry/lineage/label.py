"""Labels of versions for people, the same in every format."""

from __future__ import annotations

import unicodedata

from registry.lineage.graph import Node
from registry.rooms.datasets.messages import Source

SHORT_DIGITS = 10
"""0x and the 8 hex digits that commands and URLs accept as a dataset's id."""


def short(version: Source) -> str:
    """Return a version's label with the first digits of its dataset's id, for example ``0x1f2e3d4c@2``."""
    return f"{str(version.dataset_id)[:SHORT_DIGITS]}@{version.version}"


def title(node: Node) -> str:
    """Return a version's name on one line, or its short label where it has none.

    Control characters, and those that change the writing direction, are removed: names are untrusted text.
    """
    kept = (char for char in node.name or "" if char == " " or unicodedata.category(char)[0] not in "CZ")
    return "".join(kept).strip() or short(node.version)


def width(text: str) -> int:
    """Return how many columns a text takes, where a wide character, such as a Chinese one, takes two."""
    return sum(_columns(char) for char in text)


def shortened(text: str, columns: int) -> str:
    """Return the text, cut to a number of columns with an ellipsis where it is longer."""
    if width(text) <= columns:
        return text
    taken = 0
    for position, char in enumerate(text):
        taken += _columns(char)
        if taken > columns - 1:
            return text[:position].rstrip() + "…"
    return text


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
