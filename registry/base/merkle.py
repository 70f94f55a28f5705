"""The Merkle tree of RFC 9162 over SHA-256: roots, inclusion proofs, and their verification.

A leaf is hashed as ``SHA-256(0x00 || leaf)`` and a node as ``SHA-256(0x01 || left || right)``, so that neither can pass
for the other. A level with an odd number of nodes passes its last one up unchanged: no leaf is ever doubled.

Warning: a root commits to its leaves and their order, but by itself not to their number. Take a proof's size from where
the root comes from; without it, a proof shows that a leaf is in the tree, and not where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Bytes32

_LEAF = b"\x00"
_NODE = b"\x01"


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Where a leaf stands in a tree, and the nodes beside its way to the root.

    Args:
        index: The leaf's index, from 0.
        size: The number of leaves in the tree.
        path: The sibling of each node on the way, from the leaf to the root.
    """

    index: int
    size: int
    path: tuple[Bytes32, ...]


def merkle_root(leaves: Iterable[bytes]) -> Bytes32:
    """The root over leaves of any length, taken one at a time: memory grows with the logarithm of their number.

    Raises:
        InvalidInput: There are no leaves. RFC 9162 gives the empty tree a root; here it would be a proof of nothing.

    Source: RFC 9162, section 2.1.1.
    """
    # The roots of the complete subtrees so far, one for each 1 bit of the number of leaves: adding a leaf carries as
    # adding 1 does.
    subtrees: list[bytes] = []
    for count, leaf in enumerate(leaves):
        node = sha256(_LEAF + leaf).digest()
        while count & 1:
            node = sha256(_NODE + subtrees.pop() + node).digest()
            count >>= 1
        subtrees.append(node)
    if not subtrees:
        raise _no_leaves()
    node = subtrees.pop()
    while subtrees:
        node = sha256(_NODE + subtrees.pop() + node).digest()
    return Bytes32(node)


class MerkleTree:
    """A tree with all its nodes, 64 bytes a leaf, to draw many proofs from.

    Raises:
        InvalidInput: There are no leaves.
    """

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = b"".join([sha256(_LEAF + leaf).digest() for leaf in leaves])
        if not level:
            raise _no_leaves()
        self.size = len(level) // 32
        self._levels = [level]
        while len(level) > 32:
            pairs = len(level) // 64 * 64
            nodes = [sha256(_NODE + level[at : at + 64]).digest() for at in range(0, pairs, 64)]
            level = b"".join(nodes) + level[pairs:]
            self._levels.append(level)

    @property
    def root(self) -> Bytes32:
        """The root over all leaves."""
        return Bytes32(self._levels[-1])

    def proof(self, index: int) -> InclusionProof:
        """The proof that the leaf at an index is in this tree.

        Raises:
            InvalidInput: There is no such leaf.

        Source: RFC 9162, section 2.1.3.1.
        """
        if not 0 <= index < self.size:
            raise InvalidInput(f"A tree of {self.size} leaves has no leaf {index}; they count from 0.")
        path = [
            Bytes32(self._levels[level][32 * sibling : 32 * sibling + 32])
            for level, sibling, _ in _siblings(index, self.size)
        ]
        return InclusionProof(index, self.size, tuple(path))


def verify_inclusion(leaf: bytes, proof: InclusionProof, root: Bytes32) -> None:
    """Verifies that a leaf stands at the proof's index in the tree of the proof's size with this root.

    Args:
        leaf: The leaf itself, not its hash.
        proof: Where it stands; its size must come from where the root comes from.
        root: The RFC 9162 root, from a source that the caller trusts.

    Raises:
        VerificationFailed: It does not, or the proof is not exactly of the shape that its index and size need.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= proof.index < proof.size:
        raise VerificationFailed(f"The proof is for leaf {proof.index}, but a tree of {proof.size} leaves has none.")
    siblings = list(_siblings(proof.index, proof.size))
    if len(proof.path) != len(siblings):
        raise VerificationFailed(
            f"A proof for leaf {proof.index} of {proof.size} has {len(siblings)} nodes, but this has {len(proof.path)}."
        )
    node = sha256(_LEAF + leaf).digest()
    for (_, _, on_the_left), beside in zip(siblings, proof.path, strict=True):
        node = sha256(_NODE + beside + node if on_the_left else _NODE + node + beside).digest()
    if node != root:
        raise VerificationFailed(f"The proof leads to the root 0x{node.hex()}, but the expected root is {root}.")


def _siblings(index: int, size: int) -> Iterator[tuple[int, int, bool]]:
    """Level, index within the level, and whether it is on the left, of each sibling on the way from a leaf up."""
    last = size - 1
    level = 0
    while last:
        if index & 1:
            yield level, index - 1, True
        elif index < last:  # else the node is alone at the end of its level, and passes up unchanged
            yield level, index + 1, False
        index >>= 1
        last >>= 1
        level += 1


def _no_leaves() -> InvalidInput:
    return InvalidInput("A Merkle tree needs at least one leaf, but none was given.")
