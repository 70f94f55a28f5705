"""How versions are called where people look: the same words in every format."""

from __future__ import annotations

import unicodedata

from registry.lineage.graph import Node
from registry.rooms.datasets.messages import Source

SHORT_DIGITS = 10
"""0x and the 8 hex digits by which commands and URLs take a dataset."""


def short(version: Source) -> str:
    """A version by the beginning of its dataset's id, for example ``0x1f2e3d4c@2``."""
    return f"{str(version.dataset_id)[:SHORT_DIGITS]}@{version.version}"


def title(node: Node) -> str:
    """A version's name on one line, or its short id where it has none.

    Control characters, and those that turn the direction of writing, are dropped: names are others' text.
    """
    kept = (char for char in node.name or "" if char == " " or unicodedata.category(char)[0] not in "CZ")
    return "".join(kept).strip() or short(node.version)


def width(text: str) -> int:
    """The columns that a text takes where wide characters, as Chinese ones, take two."""
    return sum(_columns(char) for char in text)


def shortened(text: str, columns: int) -> str:
    """The text, cut to some columns with an ellipsis where it is longer."""
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
