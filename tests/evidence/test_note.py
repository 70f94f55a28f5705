"""Signed notes: vectors of Go's note package and of Node's Ed25519, and texts that are not notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Bytes32
from registry.evidence.texts import authority_text
from registry.evidence.trust import Claim, SignedCheckpoints
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey, VerifierKey
from tests.fixtures.randomness import draws

VECTORS: dict[str, str] = json.loads((Path(__file__).parents[1] / "vectors/evidence/notes.json").read_text())
TIME = 1795000000
NOTE = Note.parse(VECTORS["note"])
NODE = VerifierKey.parse(VECTORS["node"])
WITNESS = VerifierKey.parse(VECTORS["witness"])

# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_note_of_the_reference_implementation_verifies() -> None:
    Note.parse(GO_NOTE).verify(VerifierKey.parse(GO_KEY))


def test_signatures_and_cosignatures_by_another_implementation_verify() -> None:
    assert NOTE.verify(NODE) is None
    assert NOTE.verify(WITNESS) == TIME
    assert str(NOTE) == VECTORS["note"]


def test_our_signatures_are_those_of_the_other_implementation() -> None:
    note = Note(VECTORS["text"], ())
    for name, kind, seed in (
        ("registry.example/node", KeyKind.NOTE, VECTORS["nodeSeed"]),
        ("witness.example/w1", KeyKind.COSIGNATURE, VECTORS["witnessSeed"]),
    ):
        note = SigningKey(name, kind, bytes.fromhex(seed)).sign(note, TIME)
    assert str(note) == VECTORS["note"]


def test_a_key_that_signs_again_replaces_its_line() -> None:
    witness = SigningKey("witness.example/w1", KeyKind.COSIGNATURE, bytes.fromhex(VECTORS["witnessSeed"]))
    again = witness.sign(NOTE, TIME + 1)
    assert len(again.signatures) == 2
    assert again.verify(WITNESS) == TIME + 1


def test_a_checkpoint_is_read_as_it_is_written() -> None:
    checkpoint = Checkpoint(1952776192, 4711, Bytes32(b"\x5a" * 32))
    assert Checkpoint.of(NOTE) == checkpoint
    assert checkpoint.note().text == VECTORS["text"]


def verify_both(source: bytes) -> None:
    note = Note.parse(source.decode())
    note.verify(NODE)
    note.verify(WITNESS)


def test_every_bit_changed_in_a_note_fails() -> None:
    """The short form changes at least one bit of every byte."""
    source = VECTORS["note"].encode()
    for bit in range(0, 8 * len(source), draws(7, 1)):
        changed = bytearray(source)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((InvalidInput, VerificationFailed, UnicodeDecodeError)):
            verify_both(changed)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n—  AAAAAAAA\n",
        "text\n\n— name AAAAAAB=\n",  # bits behind the end of the base64 are set
        "text\n\n— name AAAA AAAA\n",
        "text\n\n— name AAAAAAAA\n\n",
        "te\txt\n\n— name AAAAAAAA\n",
        "te\ud800xt\n\n— name AAAAAAAA\n",
        "text\n\n" + "— name AAAAAAAA\n" * 65,
        "t" * 70_000 + "\n\n— name AAAAAAAA\n",
    ],
)
def test_what_is_no_signed_note_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput):
        Note.parse(source)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+c74f20a3",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("PeterNeumann", "PeterNewman"),
        GO_KEY.replace("+AR", "+Ag"),
        GO_KEY[:-4],
        GO_KEY + "=",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        VECTORS["text"].replace("chain ", "chain 0"),
        VECTORS["text"].replace("0x5a", "0x5A"),
        VECTORS["text"].replace("/1", "/2"),
        VECTORS["text"] + "more\n",
        VECTORS["text"].replace("4711", "-1"),
        VECTORS["text"].replace("4711", "٤"),
    ],
)
def test_a_note_that_states_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Checkpoint.of(Note(text, ()))


WITNESSES = [SigningKey(f"witness.example/{index}", KeyKind.COSIGNATURE, bytes([index]) * 32) for index in (3, 4, 5)]
CHECKPOINT = Checkpoint.of(NOTE)


def signed_by(*witnesses: SigningKey, node: bool = True) -> Note:
    note = Note(NOTE.text, NOTE.signatures[:1] if node else ())
    for witness in witnesses:
        note = witness.sign(note, TIME)
    return note


def policy(threshold: int) -> SignedCheckpoints:
    return SignedCheckpoints(NODE, [witness.verifier for witness in WITNESSES], threshold)


def claim(*notes: Note, chain_id: int = CHECKPOINT.chain_id, block: Bytes32 = CHECKPOINT.block_hash) -> Claim:
    return Claim(chain_id, {CHECKPOINT.height: block}, notes)


def test_enough_witnesses_vouch_for_a_block() -> None:
    word = authority_text(policy(2).vouch(claim(signed_by(*WITNESSES[1:]))))
    assert word == "registry.example/node and 2 of 3 witnesses"


@pytest.mark.parametrize(
    ("threshold", "asked"),
    [
        (2, claim(signed_by(WITNESSES[0]))),
        (1, claim(signed_by(SigningKey("witness.example/3", KeyKind.COSIGNATURE, b"\x09" * 32)))),
        (1, claim(signed_by(*WITNESSES, node=False))),
        (1, claim(signed_by(*WITNESSES), chain_id=1)),
        (1, claim(signed_by(*WITNESSES), block=Bytes32(bytes(32)))),
        (1, claim()),
        (0, claim(signed_by(*WITNESSES, node=False))),
    ],
    ids=[
        "too few",
        "a stranger with a witness's name",
        "not the node",
        "another chain",
        "another block",
        "no note",
        "",
    ],
)
def test_too_few_or_wrong_signatures_do_not_vouch(threshold: int, asked: Claim) -> None:
    with pytest.raises(VerificationFailed):
        policy(threshold).vouch(asked)


def test_a_forged_cosignature_of_a_known_witness_is_refused_even_where_enough_others_are_good() -> None:
    good = signed_by(*WITNESSES)
    first = good.signatures[1]
    forged = Note(
        good.text, (good.signatures[0], type(first)(first.name, first.key_id, bytes(72)), *good.signatures[2:])
    )
    with pytest.raises(VerificationFailed, match="not valid"):
        policy(2).vouch(claim(forged))


@pytest.mark.parametrize(
    ("witnesses", "threshold"),
    [
        ([WITNESSES[0].verifier, WITNESSES[0].verifier], 1),
        ([WITNESSES[0].verifier], 2),
        ([NODE], 1),
        ([VerifierKey("same-key", KeyKind.COSIGNATURE, NODE.public)], 1),
    ],
)
def test_a_policy_that_counts_one_holder_twice_or_asks_for_too_many_is_refused(
    witnesses: list[VerifierKey], threshold: int
) -> None:
    with pytest.raises(InvalidInput):
        SignedCheckpoints(NODE, witnesses, threshold)


@pytest.mark.parametrize(
    "source",
    [
        "[]",
        "{}",
        json.dumps({"node": VECTORS["node"], "witnesses": []}),
        json.dumps({"node": VECTORS["node"], "witnesses": [], "threshold": 0, "more": 1}),
        json.dumps({"node": VECTORS["node"], "witnesses": [], "threshold": True}),
        json.dumps({"node": VECTORS["node"], "witnesses": [1], "threshold": 0}),
        json.dumps({"node": VECTORS["witness"], "witnesses": [], "threshold": 0}),
        json.dumps({"node": VECTORS["node"], "witnesses": [VECTORS["witness"]], "threshold": 2}),
    ],
)
def test_what_is_no_policy_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput):
        SignedCheckpoints.parse(source.encode())


def test_a_policy_is_read_from_json() -> None:
    source = json.dumps({"node": VECTORS["node"], "witnesses": [VECTORS["witness"]], "threshold": 1})
    policy_read = SignedCheckpoints.parse(source.encode())
    assert authority_text(policy_read.vouch(claim(NOTE))) == "registry.example/node and 1 of 1 witnesses"
