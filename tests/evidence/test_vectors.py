"""The conformance vectors of ``tdr-evidence/1``, and the result that every change of a bundle must have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.base.errors import InvalidInput
from registry.evidence.bundle import MAX_BUNDLE_BYTES
from registry.evidence.steps import StepFailed
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.notes.note import Note, VerifierKey
from registry.rooms.protocols import PROTOCOLS
from tests.evidence.cases import apply, trust_of
from tests.evidence.stories import VECTORS
from tests.fixtures.randomness import draws, random_of

CASES: list[dict[str, Any]] = json.loads((VECTORS / "cases.json").read_text())
BUNDLES = {path.name: path.read_bytes() for path in sorted((VECTORS / "bundles").iterdir())}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_committed_bundle_is_accepted_or_refused_as_ever(case: dict[str, Any]) -> None:
    """R7: an issued bundle verifies for ever, an altered one never."""
    source = apply(BUNDLES[case["bundle"]], case)
    if "failsAt" in case["expect"]:
        with pytest.raises(StepFailed) as caught:
            verify(source, trust_of(case["trust"]), PROTOCOLS)
        assert caught.value.number == case["expect"]["failsAt"]
    else:
        assert verify(source, trust_of(case["trust"]), PROTOCOLS).is_complete == case["expect"]["isComplete"]


def test_there_are_enough_vectors_and_most_are_negative() -> None:
    negative = [case for case in CASES if "failsAt" in case["expect"]]
    assert len(CASES) >= 200
    assert len(negative) >= 0.6 * len(CASES)
    assert len({case["name"] for case in CASES}) == len(CASES)


def all_trusted(source: bytes) -> PinnedBlocks:
    return PinnedBlocks(set(blocks_to_vouch_for(source, PROTOCOLS).values()), json.loads(source)["chainId"])


def flipped(source: bytes, bit: int) -> bytes:
    changed = bytearray(source)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def fails(source: bytes, trust: PinnedBlocks) -> bool:
    try:
        verify(source, trust, PROTOCOLS)
    except StepFailed:
        return True
    return False


@pytest.mark.long
@pytest.mark.parametrize("name", ["registered.tdr.json"])
def test_a_one_bit_change_of_every_byte_of_a_small_bundle_fails(name: str) -> None:
    """R7: no byte is left out; of each byte one bit here, and under `make assurance` all eight."""
    source, dice = BUNDLES[name], random_of(name)
    trust = all_trusted(source)
    bits = [8 * byte + bit for byte in range(len(source)) for bit in dice.sample(range(8), draws(1, 8))]
    assert [bit for bit in bits if not fails(flipped(source, bit), trust)] == []


@pytest.mark.parametrize("name", BUNDLES)
def test_one_bit_changes_all_over_every_bundle_fail(name: str) -> None:
    """R7: at random places, the same in every run."""
    source = BUNDLES[name]
    trust = all_trusted(source)
    bits = random_of(name).sample(range(8 * len(source)), draws(100, 500))
    assert [bit for bit in bits if not fails(flipped(source, bit), trust)] == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=8) | st.just("0x"),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=12,
)


@settings(max_examples=draws(100, 300))
@given(name=st.sampled_from(sorted(BUNDLES)), value=JSON, data=st.data())
def test_anything_in_the_place_of_anything_is_refused_and_never_crashes(name: str, value: Any, data: Any) -> None:
    document = json.loads(BUNDLES[name])
    trust = all_trusted(BUNDLES[name])
    holder, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
    same = json.dumps(holder[key]) == json.dumps(value)
    optional = holder is document and (key, value) in (
        *(("messages", []), ("content", None), ("checkpoints", None)),
        ("state", None),  # The policy names the chain, so that a bundle without the state shows less, and verifies.
    )
    holder[key] = value
    try:
        source = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return
    assert same or optional or fails(source, trust)


@settings(max_examples=draws(100, 300))
@given(name=st.sampled_from(sorted(BUNDLES)), data=st.data())
def test_bytes_cut_out_or_put_in_are_refused_and_never_crash(name: str, data: Any) -> None:
    source = BUNDLES[name]
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, min(len(source), start + 64)))
    put_in = data.draw(st.binary(max_size=40))
    changed = source[:start] + put_in + source[end:]
    assert changed == source or fails(changed, all_trusted(source))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_as_a_bundle(source: bytes) -> None:
    assert fails(source, PinnedBlocks(()))


def test_a_bundle_too_large_is_refused_before_it_is_read() -> None:
    assert fails(b"[" * (MAX_BUNDLE_BYTES + 1), PinnedBlocks(()))


@given(st.text(max_size=200))
def test_any_text_as_note_or_key_is_read_or_refused(text: str) -> None:
    for parse in (Note.parse, VerifierKey.parse):
        try:
            assert str(parse(text)) == text
        except InvalidInput:
            continue
