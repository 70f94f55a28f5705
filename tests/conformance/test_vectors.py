"""Two verifiers that share no code, and one verdict on every vector."""

from __future__ import annotations

import json
import random
import sys
import unicodedata
from typing import Any

import pytest

from registry.base.canonical import canonical_json, read_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.ethereum.header import encode_header
from registry.evidence.trust import SignedCheckpoints
from registry.manifest.paths import refuse_collisions
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, Signature, VerifierKey
from tests.conformance.second import SecondVerifier, first_verdict
from tests.evidence.cases import apply
from tests.evidence.stories import VECTORS
from tests.fixtures.randomness import draws, random_of

CASES: list[dict[str, Any]] = json.loads((VECTORS / "cases.json").read_text())
BUNDLES = {path.name: path.read_bytes() for path in sorted((VECTORS / "bundles").iterdir())}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_both_verifiers_give_the_committed_verdict(case: dict[str, Any], second: SecondVerifier) -> None:
    """R7: the same step fails, or the same is proven, in the same words."""
    source = apply(BUNDLES[case["bundle"]], case)
    found = second.verify(source, case["trust"])
    expected = case["expect"]
    assert {key: found.get(key) for key in expected} == expected
    assert found == first_verdict(source, case["trust"])


NUMBERS = ["0", "-0", "0.0", "1", "-1", "1.0", "1e3", "1E3", "1e-7", "0.000001", "1.5e-10", "123456789.125", "1e21"]
NUMBERS += ["1.7976931348623157e308", "1e309", "-1e400", "5e-324", "1e-400", "9007199254740991", "9007199254740992"]
NUMBERS += [
    "-9007199254740991",
    "-9007199254740993",
    "100000000000000000000",
    "1e20",
    "01",
    "+1",
    ".5",
    "1.",
    "1e",
    "-",
]
NUMBERS += [
    "NaN",
    "Infinity",
    "-Infinity",
    "0x10",
    "1_000",
    "333333333.33333329",
    "1E30",
    "4.50",
    "2e-3",
    "1" + "0" * 400,
    "1000000000000000000000",
    "-1000000000000000000000",
    "1234567890123456789012",
    "1000000000000000000000.0",
    "1" + "0" * 300,
]
STRINGS = [
    r'"\ud83d\ude00"',
    r'"\ud800"',
    r'"\udc00\ud800"',
    r'"\u00e9"',
    '"\u2028"',
    '"\x7f"',
    '"\t"',
    r'"\/"',
    r'"\x41"',
]
STRINGS += [
    '"\\u000',
    '"',
    '"\\u00E9"',
    '"\\b\\f\\n\\r\\t\\"\\\\"',
    '"\ufeff"',
    '"\U0001f600"',
    '"\\U0041"',
    '"\\u+041"',
]
OBJECTS = ['{"a":1,"a":1}', r'{"a":1,"\u0061":1}', '{"__proto__":1}', '{"__proto__":1,"__proto__":2}', '{"1":1,"0":0}']
OBJECTS += [
    '{"\ufb33":1,"\U0001f600":2}',
    '{"a":1,}',
    "{a:1}",
    "{'a':1}",
    '{"a" 1}',
    "{}{}",
    '{"constructor":{}}',
    '{"":""}',
]
OTHERS = [
    "",
    " ",
    "[]",
    "[ ]",
    "[,]",
    "[1,]",
    "[1 2]",
    "null",
    "nul",
    "true",
    "True",
    "// c\n1",
    "\ufeff1",
    " 1 ",
    "1\x0b",
    "\xa01",
]
OTHERS += [
    "[" * 64 + "]" * 64,
    "[" * 65 + "]" * 65,
    "[" * 100_000,
    '{"a":' * 64 + "1" + "}" * 64,
    '{"a":' * 65 + "1" + "}" * 65,
]


@pytest.mark.parametrize("text", NUMBERS + STRINGS + OBJECTS + OTHERS, ids=lambda text: ascii(text)[:40])
def test_both_read_and_write_the_same_json(text: str, second: SecondVerifier) -> None:
    found = second.ask("canonical", text=text)
    try:
        expected = canonical_json(read_json(text)).decode()
    except InvalidInput:
        assert "refused" in found
    else:
        assert found == {"answer": expected}


def test_both_know_the_same_letters_as_one_where_case_does_not_count(second: SecondVerifier) -> None:
    """R8: every letter of Unicode beside its capital, its small letter, and the forms of both."""
    pairs = set()
    for letter in map(chr, range(0x80, sys.maxunicode + 1)):
        if unicodedata.category(letter) in ("Cn", "Cs", "Co"):
            continue
        other = {letter.upper(), letter.lower(), letter.casefold(), letter.title(), letter.swapcase(), "i", "ss"}
        pairs |= {
            (unicodedata.normalize("NFC", f"x{letter}"), unicodedata.normalize("NFC", f"x{one}")) for one in other
        }
    listed = sorted(pair for pair in pairs if pair[0] != pair[1])
    found = second.ask("collisions", pairs=listed)["answer"]
    assert [pair for pair, is_refused in zip(listed, found, strict=True) if is_refused != collide(*pair)] == []
    assert len(listed) > 500_000 / 2


def collide(*paths: str) -> bool:
    try:
        refuse_collisions(paths)
    except InvalidInput:
        return True
    return False


def test_both_take_the_same_notes_for_signed(second: SecondVerifier) -> None:
    """Signatures, keys and texts with something changed: both verify them or neither does."""
    draw = random_of("notes")
    vectors = json.loads((VECTORS / "notes.json").read_text())
    for _ in range(draws(200, 400)):
        note, key = vectors["note"], vectors[draw.choice(["node", "witness"])]
        for _ in range(draw.choice([0, 1, 1, 2])):
            if draw.random() < 0.5:
                note = changed(draw, note)
            else:
                key = changed(draw, key)
        found = second.ask("note", note=note, key=key)
        assert ("refused" not in found) == signed(note, key), (note, key)


THRESHOLDS = ["0", "1", "1.0", "1e0", "10e-1", "-0", "-0.0", "1.5", "2", "2.0", "-1", "true", "null", '"1"', "[1]"]
THRESHOLDS += ["1000000000000000000000", "1e21", "1e400", "01", "0.0000000001"]


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_both_read_the_same_policies(threshold: str, second: SecondVerifier) -> None:
    """A12: one number in two spellings is one threshold, to both."""
    vectors = json.loads((VECTORS / "notes.json").read_text())
    keys = f'"node": {json.dumps(vectors["node"])}, "witnesses": [{json.dumps(vectors["witness"])}]'
    text = f'{{{keys}, "threshold": {threshold}}}'
    found = second.ask("policy", text=text)
    is_policy = threshold in ("0", "1", "1.0", "1e0", "10e-1", "-0", "-0.0")
    assert ("refused" not in found) == is_policy
    if is_policy:
        assert SignedCheckpoints.parse(text.encode()).threshold == abs(float(threshold))
    else:
        with pytest.raises(InvalidInput):
            SignedCheckpoints.parse(text.encode())


def signed(source: str, key: str) -> bool:
    """Whether the first verifier takes a note for a checkpoint that a key signed."""
    try:
        note = Note.parse(source)
        Checkpoint.of(note)
        note.verify(VerifierKey.parse(key))
    except (InvalidInput, VerificationFailed):
        return False
    return True


def changed(draw: random.Random, text: str) -> str:
    """A text with one character changed, put in or left out; the places that say most are changed most."""
    place = draw.choice(
        [draw.randrange(len(text)), draw.randrange(len(text)), len(text) - draw.randrange(4), text.find("+")]
    )
    put = draw.choice(
        ["", "\n", " ", "+", "=", "A", "\u2003", "\ufeff", "\u0085", "\x1f", "\U0001f600", "\n\n", "— x y\n"]
    )
    return text[:place] + put + text[place + draw.choice([0, 1]) :]


SMALL_ORDER = "0100000000000000000000000000000000000000000000000000000000000000"
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(
    ("public", "point", "scalar"),
    [
        (SMALL_ORDER, SMALL_ORDER, 0),
        (SMALL_ORDER, SMALL_ORDER, ORDER),
        (SMALL_ORDER, SMALL_ORDER, 2 * ORDER),
        (SMALL_ORDER, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 0),
        ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", SMALL_ORDER, 0),
        (SMALL_ORDER, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 0),
        (SMALL_ORDER, "0100000000000000000000000000000000000000000000000000000000000080", 0),
        ("0100000000000000000000000000000000000000000000000000000000000080", SMALL_ORDER, 0),
        ("0000000000000000000000000000000000000000000000000000000000000000", SMALL_ORDER, 0),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", SMALL_ORDER, 0),
        ("0200000000000000000000000000000000000000000000000000000000000000", SMALL_ORDER, 0),
    ],
)
def test_both_refuse_degenerate_signatures(public: str, point: str, scalar: int, second: SecondVerifier) -> None:
    """Keys and points of small order or in a second encoding, and scalars beyond the order (RFC 8032, 5.1.7)."""
    key = VerifierKey("x.example", KeyKind.NOTE, bytes.fromhex(public))
    text = json.loads((VECTORS / "notes.json").read_text())["text"]
    signature = bytes.fromhex(point) + scalar.to_bytes(32, "little")
    note = Note(text, (Signature(key.name, key.key_id, signature),))
    assert "refused" in second.ask("note", note=str(note), key=str(key))
    with pytest.raises(VerificationFailed):
        note.verify(key)


@pytest.mark.parametrize("case", json.loads((VECTORS / "headers.json").read_text()), ids=lambda case: case["form"])
def test_the_second_reads_headers_of_public_chains(case: dict[str, Any], second: SecondVerifier) -> None:
    block = case["block"]
    found = second.ask("header", raw=f"0x{encode_header(block).hex()}")["answer"]
    assert found["hash"] == block["hash"]
    assert (found["number"], found["time"]) == (int(block["number"], 16), int(block["timestamp"], 16))
    assert (found["stateRoot"], found["receiptsRoot"]) == (block["stateRoot"], block["receiptsRoot"])


MANIFESTS = [
    *json.loads((VECTORS.parent / "manifest/valid.json").read_text()),
    *json.loads((VECTORS.parent / "manifest/invalid.json").read_text()),
]


@pytest.mark.parametrize("case", MANIFESTS, ids=lambda case: case["name"])
def test_both_read_the_same_manifests(case: dict[str, Any], second: SecondVerifier) -> None:
    found = second.ask("manifest", text=case["text"])
    assert found == {"answer": case["root"]} if "root" in case else "refused" in found
