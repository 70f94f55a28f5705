"""The certificate's two typefaces, Noto Serif SC and Noto Sans SC, with the common characters at hand.

To cut a page's characters out of a whole Chinese typeface takes half a second. So the common ones are kept as files
of their own, made by scripts/subset_fonts.py; only a text with a rare character costs that time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pylopdf_fonts_zh_cn import sans_path, serif_path

Family = Literal["serif", "sans"]

WHOLE: Final[Mapping[Family, Callable[[], Path]]] = {"serif": serif_path, "sans": sans_path}
"""Where the whole typefaces are."""

_FOLDER: Final = Path(__file__).parent / "fonts"
_LATIN: Final = range(0x20, 0x7F)
_GB2312_ROWS: Final = (*range(0xA1, 0xAA), *range(0xB0, 0xD8))
"""Punctuation and other scripts; then level 1, the 3,755 characters that nearly all Chinese text is made of."""
_GB2312_CELLS: Final = range(0xA1, 0xFF)


def path_of(family: Family, texts: Iterable[str]) -> Path:
    """The file of a typeface that has the characters of some texts, the smaller one where it does."""
    needed = set().union(*texts)
    return common_path(family) if needed <= common_characters() else WHOLE[family]()


def common_path(family: Family) -> Path:
    """The file of a typeface with the common characters only."""
    return _FOLDER / f"{family}-common.otf"


@cache
def common_characters() -> frozenset[str]:
    """The characters that are at hand: printable ASCII, a few signs, and GB 2312 without its rare characters."""
    cells = (bytes([row, cell]) for row in _GB2312_ROWS for cell in _GB2312_CELLS)
    return frozenset({*map(chr, _LATIN), *"…·—–é", *(cell.decode("gb2312", errors="ignore") for cell in cells)} - {""})
