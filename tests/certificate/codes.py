"""Reading the code that people scan, with a library that did not draw it."""

from __future__ import annotations

from pypdfium2 import PdfDocument
from zxingcpp import read_barcodes


def code_on(page: bytes) -> str:
    """What the one code on a certificate says."""
    (code,) = read_barcodes(PdfDocument(page)[0].render(scale=2).to_pil())
    return str(code.text)
