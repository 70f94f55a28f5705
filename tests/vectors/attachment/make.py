"""Writes cases.json: PDF files with attachments as anybody may write them, and the bundle that is found, or null.

Each file is text with one character a byte (Latin-1). The verdicts are written by hand, from the rule in
docs/certificate.md. Run: python tests/vectors/attachment/make.py
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

A = b'{"bundle":"A"}'
B = b'{"bundle":"B"}'
PACKED = zlib.compress(A)
FLATE = b"/Filter /FlateDecode"


def stream(
    content: bytes,
    keys: bytes = b"",
    *,
    length: bytes | None = None,
    begin: bytes = b"\nstream\n",
    end: bytes = b"\nendstream",
) -> bytes:
    """An attachment; its length is the content's unless another is given."""
    given = b"/Length %d" % len(content) if length is None else length
    return b"9 0 obj\n<</Type /EmbeddedFile %s %s>>%s%s%s\nendobj\n" % (keys, given, begin, content, end)


FILES: dict[str, tuple[bytes, bytes | None]] = {
    "plain": (stream(A), A),
    "packed": (stream(PACKED, FLATE), A),
    "packed, in an array": (stream(PACKED, b"/Filter [ /FlateDecode ]"), A),
    "packed, without spaces": (stream(PACKED, b"/Filter/FlateDecode"), A),
    "lines end by CR LF": (stream(A, begin=b"\r\nstream\r\n", end=b"\r\nendstream"), A),
    "no line end before endstream": (stream(A, end=b"endstream"), A),
    "a type of media with the word stream": (stream(A, b"/Subtype /application#2Foctet-stream"), A),
    "keys that begin alike": (stream(A, b"/Length1 5 /FilterX /Y"), A),
    "the same twice": (stream(A) + stream(PACKED, FLATE), A),
    "another file beside it": (stream(b"a,b\n") + stream(A), A),
    "a name tree is no attachment": (b"1 0 obj\n<</EmbeddedFiles 2 0 R>>\nendobj\n" + stream(A), A),
    "none": (b"", None),
    "two": (stream(A) + stream(B), None),
    "two, one for each of two lenient readers": (
        stream(PACKED, FLATE, length=b"") + stream(B, length=b"/Length %dx" % len(B)),
        None,
    ),
    "without a length": (stream(PACKED, FLATE, length=b""), None),
    "without a length, beside a good one": (stream(PACKED, FLATE, length=b"") + stream(B), None),
    "a length with a letter": (stream(A, length=b"/Length 14x"), None),
    "a length with a sign": (stream(A, length=b"/Length +14"), None),
    "a length with a fraction": (stream(A, length=b"/Length 14.0"), None),
    "a length behind U+00A0": (stream(A, length=b"/Length\xa014"), None),
    "a length behind a vertical tab": (stream(A, length=b"/Length\v14"), None),
    "a length elsewhere": (stream(A, length=b"/Length 14 0 R"), None),
    "two lengths": (stream(A, b"/Length 14"), None),
    "a length too short": (stream(A, length=b"/Length 13"), None),
    "a length too long": (stream(A, length=b"/Length 16"), None),
    "a length beyond the file": (stream(A, length=b"/Length 9999999999"), None),
    "a length of eleven digits": (stream(A, length=b"/Length 00000000014"), None),
    "packed and cut short": (stream(PACKED[:-1], FLATE), None),
    "packed and damaged": (stream(PACKED[:-1] + b"\0", FLATE), None),
    "packed, with bytes behind": (stream(PACKED + b" ", FLATE), None),
    "packed, with a second one behind": (stream(PACKED + zlib.compress(B), FLATE), None),
    "packed nothing": (stream(b"", FLATE), None),
    "packed twice": (stream(zlib.compress(PACKED), b"/Filter [/FlateDecode /FlateDecode]"), None),
    "packed otherwise": (stream(A, b"/Filter /LZWDecode"), None),
    "packed otherwise, a name that begins alike": (stream(PACKED, b"/Filter /FlateDecodeX"), None),
    "two filters": (stream(PACKED, FLATE + b" /Filter /LZWDecode"), None),
    "with parameters": (stream(PACKED, FLATE + b" /DecodeParms <</Predictor 12>>"), None),
    "the word stream ends by CR": (stream(A, begin=b"\nstream\r"), None),
    "no dictionary": (b"/EmbeddedFile\n", None),
    "no stream": (b"9 0 obj\n<</Type /EmbeddedFile /Length 14>>\nendobj\n", None),
    "the stream of another object": (
        b"8 0 obj\n<</Type /EmbeddedFile>>\nendobj\n9 0 obj\n<</Length 14>>\nstream\n" + A + b"\nendstream\nendobj\n",
        None,
    ),
    "the dictionary too far before": (stream(A, b" " * 2048), None),
    "seventeen": (stream(A) * 17, None),
}


if __name__ == "__main__":
    cases = [
        {
            "name": name,
            "file": (b"%PDF-1.7\n" + body + b"%%EOF\n").decode("latin-1"),
            "bundle": bundle and bundle.decode(),
        }
        for name, (body, bundle) in FILES.items()
    ]
    Path(__file__).with_name("cases.json").write_text(json.dumps(cases, indent=2) + "\n")
