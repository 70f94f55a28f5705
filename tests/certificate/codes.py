"""Reading a certificate, with libraries that did not draw it: the code that people scan, and the text."""

from __future__ import annotations

from pypdfium2 import PdfDocument
from zxingcpp import read_barcodes


def code_on(page: bytes) -> str:
    """What the one code on a certificate says."""
    (code,) = codes_on(page)
    return code


def codes_on(page: bytes) -> list[str]:
    """What the codes on a certificate say."""
    return [str(code.text) for code in read_barcodes(PdfDocument(page)[0].render(scale=2).to_pil())]


def command_on(page: bytes) -> str:
    """The command on a certificate, its lines joined as a shell joins them."""
    lines = words(page).replace("\r\n", "\n").partition("tdr verify")
    joined = (lines[1] + lines[2]).replace("\\\n", "")
    return " ".join(joined.splitlines()[0].split())


def words(page: bytes) -> str:
    """The text of the page, by a reader that is not ours."""
    document = PdfDocument(page)
    assert len(document) == 1
    text: str = document[0].get_textpage().get_text_bounded()
    return text
