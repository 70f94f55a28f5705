"""Extract the bundle from an untrusted PDF: it is found or refused, without a crash or excessive memory."""

from __future__ import annotations

import contextlib
import io
import re
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter

from registry.base.errors import InvalidInput
from registry.certificate import attachment
from registry.certificate.page import render
from tests.certificate.facts import BUNDLE, FACTS, URL
from tests.fixtures.randomness import draws

PAGE = render(FACTS, BUNDLE, URL)


def embedded(content: bytes, dictionary: bytes = b"/Filter /FlateDecode") -> bytes:
    return b"9 0 obj\n<</Type /EmbeddedFile %s /Length %d>>\nstream\n%s\nendstream\nendobj\n" % (
        dictionary,
        len(content),
        content,
    )


def test_a_pdf_that_another_library_made_is_read() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("evidence.tdr.json", BUNDLE)
    file = io.BytesIO()
    writer.write(file)
    assert attachment.read(file.getvalue()) == BUNDLE


def test_a_pdf_that_was_added_to_is_read() -> None:
    assert attachment.read(PAGE + b"\n99 0 obj\n<</Type /Sig>>\nendobj\n" + embedded(zlib.compress(BUNDLE))) == BUNDLE


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "Not a PDF"),
        (b"{}", "Not a PDF"),
        (b"%PDF-1.7\n", "has none"),
        (b"%PDF-1.7\n" + embedded(zlib.compress(BUNDLE)[:-9]), "truncated"),
        (b"%PDF-1.7\n" + embedded(zlib.compress(b"no JSON")), "has none"),
        (b"%PDF-1.7\n" + embedded(BUNDLE, b"/Filter /LZWDecode"), "a single /FlateDecode"),
        (b"%PDF-1.7\n" + embedded(zlib.compress(BUNDLE)) + embedded(zlib.compress(BUNDLE + b" ")), "2 different"),
        (b"%PDF-1.7\n" + embedded(zlib.compress(BUNDLE)) * 17, "more than 16"),
        (b"%PDF-1.7\n9 0 obj<</Type/EmbeddedFile/Length 9999999999>>stream\n{}", "does not match its /Length"),
        (b"%PDF-1.7\n9 0 obj<</Type/EmbeddedFile/Length 4 0 R>>stream\n{}", "/Length in digits"),
        (b"%PDF-1.7\n/EmbeddedFile", "before its stream"),
    ],
)
def test_a_pdf_without_exactly_one_bundle_is_refused(file: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        attachment.read(file)


def test_an_attachment_that_is_not_compressed_is_read() -> None:
    assert attachment.read(b"%PDF-1.7\n" + embedded(BUNDLE, b"")) == BUNDLE


def test_a_bomb_is_refused_without_unpacking_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachment, "MAX_BUNDLE_BYTES", 2**20)
    bomb = b"%PDF-1.7\n" + embedded(zlib.compress(b"{" * 2**28))
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="more than 1048576 bytes"):
        attachment.read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_a_file_made_of_nothing_but_marks_is_refused_after_a_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: a million marks cost no more than the few that settle it."""
    looked_at = 0

    class CountedMark:
        @staticmethod
        def finditer(file: bytes) -> Iterator[re.Match[bytes]]:
            nonlocal looked_at
            for mark in original.finditer(file):
                looked_at += 1
                yield mark

    original = attachment._MARK
    monkeypatch.setattr(attachment, "_MARK", CountedMark)
    with pytest.raises(InvalidInput, match="more than 16"):
        attachment.read(b"%PDF-1.7\n" + b"/EmbeddedFile " * 1_000_000)
    assert looked_at == 17


@given(st.data())
@settings(max_examples=draws(100, 300), suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_certificate_gives_its_bundle_another_text_or_a_refusal(data: st.DataObject) -> None:
    """R7 depends on this: the extracted bundle is verified afterwards, so only a crash would be a fault here."""
    damaged = bytearray(PAGE)
    start = re.search(rb"/EmbeddedFile(?!s)", PAGE)
    assert start is not None
    for _ in range(data.draw(st.integers(1, 4))):
        near = data.draw(st.booleans())
        low, high = (start.start() - 200, start.start() + 2000) if near else (0, len(PAGE) - 1)
        damaged[data.draw(st.integers(low, high))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(damaged))))
    with contextlib.suppress(InvalidInput):
        assert attachment.read(bytes(damaged[:cut])).startswith(b"{")
