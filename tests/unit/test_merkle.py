"""The Merkle tree against the known answers of Certificate Transparency and of pymerkle, and against forged proofs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.merkle import InclusionProof, MerkleTree, merkle_root, verify_inclusion
from registry.base.primitives import ZERO_BYTES32, Bytes32

VECTORS = Path(__file__).parents[1] / "vectors" / "merkle"
SIZES = range(1, 34)
LEAVES = [b"%d" % index for index in SIZES]


@pytest.fixture(params=["ct.json", "rfc9162.json"])
def vectors(request: pytest.FixtureRequest) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / request.param).read_text())
    document["leaves"] = [bytes.fromhex(leaf) for leaf in document["leaves"]]
    return document


def test_roots_are_the_known_ones(vectors: dict[str, Any]) -> None:
    for tree in vectors["trees"]:
        leaves = vectors["leaves"][: tree["size"]]
        assert merkle_root(leaves).hex() == tree["root"]
        assert MerkleTree(leaves).root.hex() == tree["root"]


def test_proofs_are_the_known_ones_and_verify(vectors: dict[str, Any]) -> None:
    roots = {tree["size"]: Bytes32.parse("0x" + tree["root"]) for tree in vectors["trees"]}
    for known in vectors["proofs"]:
        index, size = known["index"], known["size"]
        proof = MerkleTree(vectors["leaves"][:size]).proof(index)
        assert [node.hex() for node in proof.path] == known["path"]
        verify_inclusion(vectors["leaves"][index], proof, roots[size])


def test_roots_of_all_sizes_differ() -> None:
    """No padding: appending a copy of the last leaf, as trees that double leaves allow, gives another root."""
    assert len({merkle_root([b"leaf"] * size) for size in SIZES}) == len(SIZES)


def test_no_leaves_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one leaf"):
        merkle_root([])
    with pytest.raises(InvalidInput, match="at least one leaf"):
        MerkleTree([])


@pytest.mark.parametrize("index", [-1, 3, 2**64])
def test_a_proof_of_a_leaf_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(InvalidInput, match="has no leaf"):
        MerkleTree(LEAVES[:3]).proof(index)


def all_proofs() -> Iterator[tuple[bytes, InclusionProof, Bytes32]]:
    for size in SIZES:
        tree = MerkleTree(LEAVES[:size])
        for index in range(size):
            yield LEAVES[index], tree.proof(index), tree.root


def refused(leaf: bytes, proof: InclusionProof, root: Bytes32) -> bool:
    try:
        verify_inclusion(leaf, proof, root)
    except VerificationFailed:
        return True
    return False


def test_a_proof_verifies_its_leaf_at_its_index_and_no_other() -> None:
    """C10: for each size from 1 to 33, each leaf, and each index that a tree of that size has or has not."""
    for leaf, proof, root in all_proofs():
        for index in range(-1, proof.size + 2):
            assert refused(leaf, replace(proof, index=index), root) == (index != proof.index)


def test_another_leaf_is_refused_with_every_proof() -> None:
    """C10: for each size from 1 to 33, a proof verifies none of the other leaves, and no foreign one."""
    for leaf, proof, root in all_proofs():
        for other in (*LEAVES[: proof.size], b"", b"foreign"):
            assert refused(other, proof, root) == (other != leaf)


def test_a_truncated_extended_or_altered_path_is_refused() -> None:
    """C10: for each size from 1 to 33 and each leaf."""
    for leaf, proof, root in all_proofs():
        path = proof.path
        altered = [(*path, ZERO_BYTES32), (ZERO_BYTES32, *path), (*path, root)]
        for at, node in enumerate(path):
            flipped = Bytes32(bytes([node[0] ^ 1]) + node[1:])
            altered += [
                (*path[:at], *path[at + 1 :]),
                (*path[:at], node, *path[at:]),
                (*path[:at], flipped, *path[at + 1 :]),
            ]
        if len(path) > 1:
            altered.append(path[::-1])
        for forged in altered:
            assert refused(leaf, replace(proof, path=forged), root)


def sides(index: int, size: int) -> str:
    """On which side the siblings of a leaf are, from the leaf up, by the recursive definition of RFC 9162."""
    if size == 1:
        return ""
    left = 1
    while left * 2 < size:
        left *= 2
    return sides(index, left) + "R" if index < left else sides(index - left, size - left) + "L"


def test_another_size_is_refused_unless_the_way_to_the_root_is_the_same() -> None:
    """C10: a root does not commit to the number of leaves, so a size counts only as far as it shapes the way up."""
    for leaf, proof, root in all_proofs():
        for size in (-1, 0, *SIZES, 2**64):
            same = proof.index < size and (
                size == proof.size or (size in SIZES and sides(proof.index, size) == sides(proof.index, proof.size))
            )
            assert refused(leaf, replace(proof, size=size), root) == (not same)


def test_another_root_is_refused() -> None:
    """C10: for each size from 1 to 33 and each leaf."""
    for leaf, proof, root in all_proofs():
        assert refused(leaf, proof, ZERO_BYTES32)
        assert refused(leaf, proof, Bytes32(sha256(root).digest()))


def test_a_node_does_not_pass_for_a_leaf() -> None:
    """C10: with equal prefixes for leaves and nodes, the two halves of a node would verify as one leaf."""
    left, right = (sha256(b"\0" + leaf).digest() for leaf in LEAVES[:2])
    shorter = InclusionProof(0, 1, ())
    assert refused(left + right, shorter, merkle_root(LEAVES[:2]))


def test_a_refusal_says_what_was_expected() -> None:
    proof = MerkleTree(LEAVES[:3]).proof(0)
    with pytest.raises(VerificationFailed, match="leaf 0 of 3 has 2 nodes; got 1"):
        verify_inclusion(LEAVES[0], replace(proof, path=proof.path[:1]), ZERO_BYTES32)
    with pytest.raises(VerificationFailed, match="for leaf 3, but a tree of 3 leaves has no such leaf"):
        verify_inclusion(LEAVES[0], replace(proof, index=3), ZERO_BYTES32)
    with pytest.raises(VerificationFailed, match="but the expected root is 0x0000"):
        verify_inclusion(LEAVES[0], proof, ZERO_BYTES32)
