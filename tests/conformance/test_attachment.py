"""Both verifiers on PDF files: they find the same bundle in one, or both find none."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import pytest

from registry.base.errors import InvalidInput
from registry.certificate import attachment
from registry.certificate.page import render
from tests.certificate.facts import BUNDLE, FACTS, URL
from tests.conformance.second import HERE, SecondVerifier
from tests.fixtures.randomness import draws, random_of

CASES: list[dict[str, Any]] = json.loads((HERE.parent / "vectors/attachment/cases.json").read_text())
PAGE = render(FACTS, BUNDLE, URL)
CHANGES = draws(150, 400)
PIECES = [b"", b" ", b"\xa0", b"\v", b"\x85", b"\0", b"\r", b"0", b"x", b"/", b">>", b"/Length 7"]


def by_python(file: bytes) -> bytes | None:
    try:
        return attachment.read(file)
    except InvalidInput:
        return None


def by_javascript(second: SecondVerifier, file: bytes) -> bytes | None:
    answer = second.ask("attachment", file=base64.b64encode(file).decode())
    return None if "refused" in answer else base64.b64decode(answer["answer"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_both_find_the_committed_bundle_or_none(case: dict[str, Any], second: SecondVerifier) -> None:
    file = case["file"].encode("latin-1")
    expected = None if case["bundle"] is None else case["bundle"].encode()
    assert by_python(file) == expected
    assert by_javascript(second, file) == expected


def test_both_read_a_certificate(second: SecondVerifier) -> None:
    assert by_python(PAGE) == by_javascript(second, PAGE) == BUNDLE


def test_both_agree_on_what_is_damaged_near_an_attachment(second: SecondVerifier) -> None:
    """Every byte of a dictionary and of what is around it, and what is often taken for a space or a digit."""
    dice = random_of("attachments")
    plain = b"%%PDF-1.7\n9 0 obj\n<</Type /EmbeddedFile /Length %d>>\nstream\n%s\nendstream\nendobj\n"
    packed = zlib.compress(b'{"b":1}')
    sources = [
        plain % (7, b'{"a":1}'),
        plain % (7, b'{"a":1}') + (plain % (len(packed), packed)).replace(b"/Length", b"/Filter/FlateDecode/Length"),
        PAGE,
    ]
    for _ in range(CHANGES):
        damaged = bytearray(dice.choice(sources))
        mark = re.search(rb"/EmbeddedFile(?!s)", damaged)
        assert mark is not None
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(max(0, mark.start() - 200), min(len(damaged), mark.start() + 250))
            piece = dice.choice(
                [b"", b" ", b"\xa0", b"\v", b"\x85", b"\0", b"\r", b"0", b"x", b"/", b">>", b"/Length 7"]
            )
            damaged[at : at + dice.randint(0, 1)] = piece
        file = bytes(damaged)
        if file.startswith(b"%PDF-"):
            assert by_python(file) == by_javascript(second, file), file[:4000]
