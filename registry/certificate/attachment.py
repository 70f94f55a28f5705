"""Taking the evidence bundle out of a certificate.

No PDF library is needed, and none of the risk of one is taken: a stream always stands in the file by itself, its
dictionary before it, and the attachment is a stream of the type EmbeddedFile. Work and memory are bounded by the file.
What is found here is nobody's word yet: the bundle is verified in full by whoever asked for it.

Source: ISO 32000-1, sections 7.3.8 (streams) and 7.11.4 (embedded files).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from registry.errors import InvalidInput
from registry.evidence.bundle import MAX_BUNDLE_BYTES

MAX_PDF_BYTES: Final = MAX_BUNDLE_BYTES + 16 * 2**20
MAX_ATTACHMENTS: Final = 16

_MARK: Final = re.compile(rb"/EmbeddedFile(?![A-Za-z0-9])")
_DICTIONARY_BYTES: Final = 2048
"""How far a stream's dictionary reaches to either side of its type."""
_LENGTH: Final = re.compile(rb"/Length\s+(\d{1,10})(?!\s+\d+\s+R)\b")


def is_pdf(file: bytes) -> bool:
    """Whether a file says that it is a PDF."""
    return file.startswith(b"%PDF-")


def read(file: bytes) -> bytes:
    """The evidence bundle in a certificate.

    Args:
        file: The PDF file.

    Raises:
        InvalidInput: It is no PDF, is too large, or does not hold exactly one attachment that may be a bundle.
    """
    if not is_pdf(file):
        raise InvalidInput("This is no PDF file.")
    if len(file) > MAX_PDF_BYTES:
        raise InvalidInput(f"A certificate has at most {MAX_PDF_BYTES} bytes, but this has {len(file)}.")
    # Whoever signs a PDF or adds to it appends, so the same attachment may come to stand in it twice.
    bundles = {content for content in _attachments(file) if content.startswith(b"{")}
    if len(bundles) != 1:
        found = "none" if not bundles else f"{len(bundles)} different ones"
        raise InvalidInput(
            f"A certificate holds one evidence bundle as its attachment, but this PDF holds {found}.",
            hint="Use the file as the registry issued it; printing it to a new PDF drops the attachment.",
        )
    return bundles.pop()


def _attachments(file: bytes) -> Iterator[bytes]:
    budget = MAX_BUNDLE_BYTES
    for number, mark in enumerate(_MARK.finditer(file), 1):
        if number > MAX_ATTACHMENTS:
            raise InvalidInput(f"This PDF has more than {MAX_ATTACHMENTS} attachments.")
        begin = file.rfind(b" obj", max(0, mark.start() - _DICTIONARY_BYTES), mark.start())
        end = file.find(b"stream", mark.end(), mark.end() + _DICTIONARY_BYTES)
        if begin < 0 or end < 0:
            continue
        content = _content(file, file[begin:end], end + len(b"stream"), budget)
        if content is not None:
            budget -= len(content)
            yield content


def _content(file: bytes, dictionary: bytes, position: int, budget: int) -> bytes | None:
    """A stream's content; None where it is cut short, or written in a way that certificates are not."""
    position += {b"\r\n": 2}.get(file[position : position + 2], 1)
    if b"/Filter" not in dictionary:
        length = _LENGTH.search(dictionary)
        if length is None or int(length[1]) > min(budget, len(file) - position):
            return None
        return file[position : position + int(length[1])]
    if not re.search(rb"/Filter\s*\[?\s*/FlateDecode\s*\]?", dictionary) or b"/DecodeParms" in dictionary:
        return None
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(memoryview(file)[position:], budget + 1)
    except zlib.error:
        return None
    if len(content) > budget:
        raise InvalidInput(f"The attachments of this PDF have more than {MAX_BUNDLE_BYTES} bytes.")
    return content if inflater.eof else None
