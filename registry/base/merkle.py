"""The Merkle tree of RFC 9162 over SHA-256: roots, inclusion proofs, and their verification.

A leaf is hashed as ``SHA-256(0x00 || leaf)`` and a node as ``SHA-256(0x01 || left || right)``, so that neither can be
taken for the other. A level with an odd number of nodes passes its last node up unchanged: no leaf is duplicated.

Warning: a root commits to its leaves and their order, but not to their number. Take a proof's size from the source of
the root. Without a trusted size, a proof shows that a leaf is in the tree, but not where.
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
    """The position of a leaf in a tree, and the sibling nodes on its path to the root.

    Args:
        index: The leaf's index, from 0.
        size: The number of leaves in the tree.
        path: The sibling of each node on the path, from the leaf to the root; 32 bytes each.
    """

    index: int
    size: int
    path: tuple[Bytes32, ...]


def merkle_root(leaves: Iterable[bytes]) -> Bytes32:
    """Return the root over leaves of any length. Memory grows with the logarithm of their number.

    Args:
        leaves: The leaves, read one at a time.

    Raises:
        InvalidInput: There are no leaves. RFC 9162 gives the empty tree a root; here it would prove nothing.

    Source: RFC 9162, section 2.1.1.
    """
    # The roots of the complete subtrees so far, one for each 1 bit of the number of leaves. Adding a leaf carries like
    # adding 1 to a binary number.
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
    """A tree that keeps all its nodes (64 bytes per leaf), for making many proofs.

    Args:
        leaves: The leaves, at least one.

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
        """Return the root over all leaves."""
        return Bytes32(self._levels[-1])

    def proof(self, index: int) -> InclusionProof:
        """Return the proof that the leaf at an index is in this tree.

        Args:
            index: The leaf's index, from 0.

        Raises:
            InvalidInput: The index is out of range.

        Source: RFC 9162, section 2.1.3.1.
        """
        if not 0 <= index < self.size:
            raise InvalidInput(f"A tree of {self.size} leaves has no leaf {index}; indices start at 0.")
        path = [
            Bytes32(self._levels[level][32 * sibling : 32 * sibling + 32])
            for level, sibling, _ in _siblings(index, self.size)
        ]
        return InclusionProof(index, self.size, tuple(path))


def verify_inclusion(leaf: bytes, proof: InclusionProof, root: Bytes32) -> None:
    """Verify that a leaf is at the proof's index in the tree with this root and the proof's size.

    Args:
        leaf: The leaf itself, not its hash.
        proof: The proof; its size must come from the source of the root.
        root: The RFC 9162 root, from a source that the caller trusts.

    Raises:
        VerificationFailed: The leaf is not there, or the path's length does not match the proof's index and size.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= proof.index < proof.size:
        raise VerificationFailed(
            f"The proof is for leaf {proof.index}, but a tree of {proof.size} leaves has no such leaf."
        )
    siblings = list(_siblings(proof.index, proof.size))
    if len(proof.path) != len(siblings):
        raise VerificationFailed(
            f"A proof for leaf {proof.index} of {proof.size} has {len(siblings)} nodes; got {len(proof.path)}."
        )
    node = sha256(_LEAF + leaf).digest()
    for (_, _, on_the_left), beside in zip(siblings, proof.path, strict=True):
        node = sha256(_NODE + beside + node if on_the_left else _NODE + node + beside).digest()
    if node != root:
        raise VerificationFailed(f"The proof leads to the root 0x{node.hex()}, but the expected root is {root}.")


def _siblings(index: int, size: int) -> Iterator[tuple[int, int, bool]]:
    """Yield level, index within the level, and whether it is the left one, for each sibling from a leaf to the root."""
    last = size - 1
    level = 0
    while last:
        if index & 1:
            yield level, index - 1, True
        elif index < last:  # Otherwise the node is the last of an odd level and passes up unchanged.
            yield level, index + 1, False
        index >>= 1
        last >>= 1
        level += 1


def _no_leaves() -> InvalidInput:
    return InvalidInput("A Merkle tree needs at least one leaf; got none.")
