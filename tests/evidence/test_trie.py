"""Tries beside py-trie, and proofs that do not prove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from registry.base.errors import VerificationFailed
from registry.base.primitives import keccak256
from registry.ethereum.rlp import encode
from registry.ethereum.trie import EMPTY_ROOT, Nodes, Trie

KEYS = st.binary(min_size=1, max_size=3) | st.binary(min_size=32, max_size=32)
TRIES = st.dictionaries(KEYS, st.binary(min_size=1, max_size=50), min_size=1, max_size=60)


@given(TRIES, KEYS)
def test_the_root_is_that_of_py_trie_and_each_proof_shows_the_value(values: dict[bytes, bytes], other: bytes) -> None:
    reference = HexaryTrie({})
    for key, value in values.items():
        reference[key] = value
    trie = Trie(values)
    assert trie.root == reference.root_hash
    for key in [*values, other]:
        nodes = Nodes(trie.proof([key]))
        assert nodes.value(trie.root, key) == values.get(key)
        nodes.require_all_read()


@given(TRIES, st.data())
def test_a_proof_without_one_of_its_nodes_or_with_a_bit_changed_is_refused(
    values: dict[bytes, bytes], data: st.DataObject
) -> None:
    trie = Trie(values)
    key = data.draw(st.sampled_from(sorted(values)))
    proof = list(trie.proof([key]))
    at = data.draw(st.integers(0, len(proof) - 1))
    with pytest.raises(VerificationFailed):
        Nodes(proof[:at] + proof[at + 1 :]).value(trie.root, key)
    changed = bytearray(proof[at])
    bit = data.draw(st.integers(0, 8 * len(changed) - 1))
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(VerificationFailed):
        Nodes([*proof[:at], bytes(changed), *proof[at + 1 :]]).value(trie.root, key)


def test_the_empty_trie_has_no_value() -> None:
    assert Trie({}).root == EMPTY_ROOT == HexaryTrie({}).root_hash
    assert Nodes([]).value(EMPTY_ROOT, b"key") is None


def test_a_node_that_is_there_twice_or_for_nothing_is_refused() -> None:
    trie = Trie({bytes([index]) * 4: bytes([index]) * 40 for index in range(1, 200)})
    proof = trie.proof([b"\1" * 4])
    with pytest.raises(VerificationFailed, match="twice"):
        Nodes([*proof, proof[0]])
    nodes = Nodes([*proof, b"\xc0"])
    assert nodes.value(trie.root, b"\1" * 4) == b"\1" * 40
    assert nodes.read == proof
    with pytest.raises(VerificationFailed, match="no proof"):
        nodes.require_all_read()


@pytest.mark.parametrize(
    "node",
    [
        encode([]),
        encode([b"\x20"]),
        encode([b"", b"value"]),
        encode([b"\x40", b"value"]),
        encode([b"\x01", b"value"]),
        encode([b"\x21", b"value"]),
        encode([[b"\x20"], b"value"]),
        encode([b"\x20", [b"value"]]),
        encode([b"\x00", b""]),
        encode([b""] * 16),
        encode([b""] * 16 + [[]]),
        b"\x83abc",
        b"\xc1",
    ],
)
def test_a_node_that_no_trie_could_have_is_refused(node: bytes) -> None:
    with pytest.raises(VerificationFailed):
        Nodes([node]).value(keccak256(node), b"")
