"""The layout of the certificate: the sheet, its colours and ornaments, and how texts and codes are set on it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final

import segno
from fpdf import FPDF
from fpdf.fonts import TTFFont

from registry.base.times import iso_datetime
from registry.certificate.typefaces import Family, path_of

Colour = tuple[int, int, int]
INK: Final[Colour] = (17, 32, 56)
SOFT: Final[Colour] = (104, 116, 136)
FAINT: Final[Colour] = (214, 220, 229)
ACCENT: Final[Colour] = (24, 66, 124)
GOLD: Final[Colour] = (176, 141, 70)
ALARM: Final[Colour] = (170, 32, 38)
STAMP: Final[Colour] = (246, 222, 220)
PAPER: Final[Colour] = (253, 252, 249)

WIDTH: Final = 595.28
HEIGHT: Final = 841.89
MARGIN: Final = 62.0
LABEL_WIDTH: Final = 104.0
VALUE_LEFT: Final = MARGIN + LABEL_WIDTH
VALUE_WIDTH: Final = WIDTH - MARGIN - VALUE_LEFT
MAX_CHARACTERS: Final = 300


class Page(FPDF):
    """An A4 page in points, with the two typefaces and a fixed identifier.

    Args:
        identifier: The file's identifier, 32 hex digits.
        texts: The untrusted texts that will be printed, by typeface.
    """

    def __init__(self, identifier: str, texts: Mapping[Family, Sequence[str]]) -> None:
        super().__init__(unit="pt", format="A4", enforce_compliance="PDF/A-3U")
        self._identifier = identifier
        self.set_auto_page_break(auto=False)
        self.set_margin(0)
        for family, printed in texts.items():
            self.add_font(family, "", path_of(family, printed))
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                # The bounds of the whole typeface are valid for its subset; to compute them takes half of the time.
                font.ttfont.recalcBBoxes = False

    def file_id(self) -> str:
        """Return the file's identifier. The library's own would depend on the time."""
        return f"<{self._identifier}><{self._identifier}>"

    def ink(self, colour: Colour) -> None:
        """Set the colour of texts."""
        self.set_text_color(*colour)

    def centred(self, y: float, text: str) -> None:
        """Print a text in the middle of a line."""
        self.text((WIDTH - self.get_string_width(text)) / 2, y, text)

    def fitting(self, text: str, family: Family, sizes: tuple[float, ...], width: float) -> str:
        """Set the largest font size in which the text fits; return the text, shortened where it fits in none.

        A character that the typeface lacks is replaced by its number, as all of them would print as the same box.

        Args:
            text: The text.
            family: The typeface.
            sizes: The font sizes in points, descending.
            width: The width in points.
        """
        font = self.fonts[family]
        if isinstance(font, TTFFont):
            text = "".join(char if ord(char) in font.cmap else f"[U+{ord(char):04X}]" for char in text)
        for size in sizes:
            self.set_font(family, size=size)
            if self.get_string_width(text) <= width:
                return text
        while text and self.get_string_width(f"{text}…") > width:
            text = text[:-1]
        return f"{text.rstrip()}…"


def plain(text: str) -> str:
    """Return an untrusted text on one line, without control characters and those that change the writing direction."""
    words = " ".join(text[: 4 * MAX_CHARACTERS].split())
    kept = (char for char in words if char == " " or unicodedata.category(char)[0] not in "CZ")
    return "".join(kept)[:MAX_CHARACTERS]


def draw_frame(page: Page) -> None:
    """Draw the paper, its frame, and the ornaments of its corners."""
    page.set_fill_color(*PAPER)
    page.rect(0, 0, WIDTH, HEIGHT, style="F")
    page.set_draw_color(*ACCENT)
    page.set_line_width(1.6)
    page.rect(26, 26, WIDTH - 52, HEIGHT - 52)
    page.set_draw_color(*GOLD)
    page.set_line_width(0.5)
    page.rect(31, 31, WIDTH - 62, HEIGHT - 62)
    page.set_draw_color(*GOLD)
    corners = ((31, 31, 1, 1), (WIDTH - 31, 31, -1, 1), (31, HEIGHT - 31, 1, -1), (WIDTH - 31, HEIGHT - 31, -1, -1))
    for x, y, right, down in corners:
        for inset, length in ((6, 26), (9.5, 17)):
            page.line(x + right * inset, y + down * inset, x + right * (inset + length), y + down * inset)
            page.line(x + right * inset, y + down * inset, x + right * inset, y + down * (inset + length))


def draw_caption(page: Page, text: str, x: float, y: float, width: float) -> None:
    """Print a line in small type, centred below or within a box that begins at x."""
    page.ink(SOFT)
    page.set_font("sans", size=7)
    page.text(x + (width - page.get_string_width(text)) / 2, y, text)


def draw_code(page: Page, content: str, x: float, y: float, side: float) -> None:
    """Draw a QR code as rectangles. Adjacent modules of a row are drawn as one."""
    matrix = segno.make(content, micro=False, error="m", boost_error=False).matrix
    module = side / len(matrix)
    page.set_fill_color(*INK)
    for row, modules in enumerate(matrix):
        start = 0
        while start < len(modules):
            end = start
            while end < len(modules) and modules[end]:
                end += 1
            if end > start:
                page.rect(x + start * module, y + row * module, (end - start) * module, module, style="F")
            start = end + 1


def xmp_of(title: str, made: datetime) -> str:
    """Return the metadata that PDF/A demands in XMP."""
    time = iso_datetime(made)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
        ' xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"'
        f' xmp:CreateDate="{time}" xmp:ModifyDate="{time}" pdf:Producer="tdr" pdfaid:part="3" pdfaid:conformance="U">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
