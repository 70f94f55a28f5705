"""Extract the evidence bundle from a certificate.

It uses no PDF library, which avoids the risks of one: a stream is always in the file itself, after its dictionary, and
the attachment is a stream of the type EmbeddedFile. Work and memory are bounded by the file's size. The extracted
bundle is not trusted: the caller verifies it in full.

api/verifier/attachment.mjs follows the same rule, and both are tested on the same files. By this rule a file has one
bundle or none: a file with an attachment that the rule cannot read is refused, because another reader might find
another bundle in it.

Source: ISO 32000-1, sections 7.3.8 (streams) and 7.11.4 (embedded files).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Final

from registry.base.errors import InvalidInput
from registry.evidence.bundle import MAX_BUNDLE_BYTES

MAX_PDF_BYTES: Final = MAX_BUNDLE_BYTES + 16 * 2**20
MAX_ATTACHMENTS: Final = 16

_MARK: Final = re.compile(rb"/EmbeddedFile(?![A-Za-z0-9])")
_REACH: Final = 2048
"""The maximum distance in bytes from a stream's type to either end of its dictionary."""
_KEYWORD: Final = re.compile(rb">>[\0\t\n\f\r ]*stream(?:\r\n|\n)")
_HEAD: Final = re.compile(rb" obj[\0\t\n\f\r ]*<<")
_KEY: Final = re.compile(rb"/(Length|Filter|DecodeParms)(?=[\0\t\n\f\r ()<>\[\]{}/%])")
_LENGTH: Final = re.compile(
    rb"/Length[\0\t\n\f\r ]+([0-9]{1,10})(?=[\0\t\n\f\r />])(?![\0\t\n\f\r ]+[0-9]+[\0\t\n\f\r ]+R)"
)
_FLATE: Final = re.compile(
    rb"/Filter[\0\t\n\f\r ]*(?:/FlateDecode(?=[\0\t\n\f\r />])"
    rb"|\[[\0\t\n\f\r ]*/FlateDecode[\0\t\n\f\r ]*\])"
)
_END: Final = re.compile(rb"(?:\r\n|\n|\r)?endstream")


def is_pdf(file: bytes) -> bool:
    """Return whether a file begins as a PDF does."""
    return file.startswith(b"%PDF-")


def read(file: bytes) -> bytes:
    """Return the evidence bundle in a certificate.

    Args:
        file: The PDF file.

    Raises:
        InvalidInput: It is not a PDF, is too large, or does not have exactly one attachment that may be a bundle.
    """
    if not is_pdf(file):
        raise InvalidInput("Not a PDF file.")
    if len(file) > MAX_PDF_BYTES:
        raise InvalidInput(f"A certificate has at most {MAX_PDF_BYTES} bytes, but this has {len(file)}.")
    # Programs that sign or extend a PDF append to it, so the same attachment may be in it twice.
    bundles = {content for content in _attachments(file) if content.startswith(b"{")}
    if len(bundles) != 1:
        number = "none" if not bundles else f"{len(bundles)} different ones"
        raise InvalidInput(
            f"A certificate has one evidence bundle as its attachment, but this PDF has {number}.",
            hint="Use the file as the registry issued it; printing it to a new PDF drops the attachment.",
        )
    return bundles.pop()


def _attachments(file: bytes) -> Iterator[bytes]:
    marks = list(islice(_MARK.finditer(file), MAX_ATTACHMENTS + 1))
    if len(marks) > MAX_ATTACHMENTS:
        raise InvalidInput(f"This PDF has more than {MAX_ATTACHMENTS} attachments.")
    budget = MAX_BUNDLE_BYTES
    for mark in marks:
        content = _content(file, mark.start(), budget)
        if len(content) > budget:
            raise InvalidInput(f"The attachments of this PDF have more than {MAX_BUNDLE_BYTES} bytes.")
        budget -= len(content)
        yield content


def _content(file: bytes, mark: int, budget: int) -> bytes:
    """Return the content of the stream whose type is at the mark; decompressed at most one byte above the budget.

    Args:
        file: The PDF file.
        mark: The offset of the stream's type.
        budget: The maximum size of the content, bytes.

    Raises:
        InvalidInput: It is written otherwise than in certificates, truncated or damaged.
    """
    begin = file.rfind(b" obj", max(0, mark - _REACH), mark)
    keyword = _KEYWORD.search(file, mark, mark + _REACH)
    if begin < 0 or keyword is None or not _HEAD.match(file, begin, mark):
        raise _unreadable("its dictionary is not directly before its stream")
    dictionary = file[begin : keyword.start() + 2]
    keys = [key[1] for key in _KEY.finditer(dictionary)]
    length = _LENGTH.search(dictionary)
    if b"endobj" in dictionary or length is None or keys.count(b"Length") != 1:
        raise _unreadable("its dictionary does not give one /Length in digits")
    end = keyword.end() + int(length[1])
    if end > len(file) or not _END.match(file, end):
        raise _unreadable("its end does not match its /Length")
    content = file[keyword.end() : end]
    if len(keys) == 1:
        return content
    if keys.count(b"Filter") != 1 or len(keys) != 2 or not _FLATE.search(dictionary):
        raise _unreadable("it uses another filter than a single /FlateDecode")
    inflater = zlib.decompressobj()
    try:
        unpacked = inflater.decompress(content, budget + 1)
    except zlib.error:
        raise _unreadable("its compressed data is damaged") from None
    if len(unpacked) <= budget and (not inflater.eof or inflater.unused_data):
        raise _unreadable("its compressed data is truncated, or has more bytes after its end")
    return unpacked


def _unreadable(why: str) -> InvalidInput:
    return InvalidInput(
        f"An attachment of this PDF cannot be read: {why}.",
        hint="Use the file as the registry issued it.",
    )
