"""The certificate's two typefaces, Noto Serif SC and Noto Sans SC, with subsets of the common characters.

To subset a whole Chinese typeface for a page takes half a second. Subsets of the common characters are therefore
stored as files, made by scripts/subset_fonts.py; only a text with a rare character costs that time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pylopdf_fonts_zh_cn import sans_path, serif_path

Family = Literal["serif", "sans"]

WHOLE: Final[Mapping[Family, Callable[[], Path]]] = {"serif": serif_path, "sans": sans_path}
"""The files of the whole typefaces."""

_FOLDER: Final = Path(__file__).parent / "fonts"
_LATIN: Final = range(0x20, 0x7F)
_GB2312_ROWS: Final = (*range(0xA1, 0xAA), *range(0xB0, 0xD8))
"""Punctuation and other scripts; then level 1, the 3,755 characters of nearly all Chinese text."""
_GB2312_CELLS: Final = range(0xA1, 0xFF)


def path_of(family: Family, texts: Iterable[str]) -> Path:
    """Return the file of a typeface that has the characters of some texts: the subset where it is sufficient."""
    needed = set().union(*texts)
    return common_path(family) if needed <= common_characters() else WHOLE[family]()


def common_path(family: Family) -> Path:
    """Return the file of a typeface with the common characters only."""
    return _FOLDER / f"{family}-common.otf"


@cache
def common_characters() -> frozenset[str]:
    """Return the common characters: printable ASCII, a few signs, and GB 2312 without its rare characters."""
    cells = (bytes([row, cell]) for row in _GB2312_ROWS for cell in _GB2312_CELLS)
    return frozenset({*map(chr, _LATIN), *"…·—–é", *(cell.decode("gb2312", errors="ignore") for cell in cells)} - {""})
