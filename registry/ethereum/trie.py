"""Ethereum's Merkle-Patricia trie: look up values in proofs, and build tries to make proofs from.

A proof is the set of nodes on the path from the root. Each node is found by its hash, so their order carries no
meaning.

Source: the Ethereum Yellow Paper, appendix D.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Bytes32, keccak256
from registry.ethereum.rlp import Item, decode_list, encode

EMPTY_ROOT = Bytes32(keccak256(b"\x80"))
"""The root of the trie without any value."""

_HASH_BYTES = 32
_BRANCH_ITEMS = 17


class Nodes:
    """The nodes of one or more proofs.

    Args:
        nodes: The RLP of each node.

    Raises:
        VerificationFailed: A node appears twice.
    """

    def __init__(self, nodes: Iterable[bytes]) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self._read: dict[bytes, list[Item]] = {}
        for node in nodes:
            digest = keccak256(node)
            if digest in self._nodes:
                raise VerificationFailed(f"The trie node 0x{digest.hex()} appears twice.")
            self._nodes[digest] = node

    def value(self, root: bytes, key: bytes) -> bytes | None:
        """Return the value under a key.

        Args:
            root: 32 bytes, from a source that the caller trusts.
            key: The key in the trie (a hash in the secure tries of the state).

        Returns:
            The value, or None where the nodes prove that there is none.

        Raises:
            VerificationFailed: A node on the path is missing or malformed.
        """
        return _walk(self._node, root, key)

    @property
    def read(self) -> tuple[bytes, ...]:
        """Return the nodes that were used for some value, in the order of their use."""
        return tuple(self._nodes[digest] for digest in self._read)

    def require_all_read(self) -> None:
        """Check that every node was used for some value.

        Raises:
            VerificationFailed: A node was not used.
        """
        if idle := self._nodes.keys() - self._read.keys():
            raise VerificationFailed(f"{len(idle)} trie nodes belong to no proof; the first is 0x{min(idle).hex()}.")

    def _node(self, digest: bytes) -> list[Item]:
        node = self._read.get(digest)
        if node is None:
            raw = self._nodes.get(digest)
            if raw is None:
                raise VerificationFailed(f"The trie node 0x{digest.hex()} is missing from the proof.")
            node = self._read[digest] = _decoded(raw)
        return node


class Trie:
    """A trie that keeps all its nodes, for making proofs.

    Args:
        values: The values by key; none may be empty.
    """

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._nodes: dict[bytes, bytes] = {}
        self.root = EMPTY_ROOT
        if values:
            pairs = sorted((key.hex(), value) for key, value in values.items())
            self.root = self._kept(encode(self._build(pairs, 0)))

    def proof(self, keys: Iterable[bytes]) -> tuple[bytes, ...]:
        """Return the nodes that prove the values under some keys, each once, in the order of their use."""
        used: dict[bytes, bytes] = {}

        def node(digest: bytes) -> list[Item]:
            used[digest] = self._nodes[digest]
            return _decoded(used[digest])

        for key in keys:
            _walk(node, self.root, key)
        return tuple(used.values())

    def _kept(self, encoded: bytes) -> Bytes32:
        digest = Bytes32(keccak256(encoded))
        self._nodes[digest] = encoded
        return digest

    def _reference(self, node: list[Item]) -> Item:
        encoded = encode(node)
        return node if len(encoded) < _HASH_BYTES else bytes(self._kept(encoded))

    def _build(self, pairs: list[tuple[str, bytes]], at: int) -> list[Item]:
        """Return the node over sorted pairs of nibbles and value whose keys share their first `at` nibbles."""
        (first, value), (last, _) = pairs[0], pairs[-1]
        if len(pairs) == 1:
            return [_packed(first[at:], is_leaf=True), value]
        shared = at
        while shared < len(first) and first[shared] == last[shared]:
            shared += 1
        if shared > at:
            return [_packed(first[at:shared], is_leaf=False), self._reference(self._build(pairs, shared))]
        branch: list[Item] = [b""] * _BRANCH_ITEMS
        if len(first) == at:
            branch[16] = value
            pairs = pairs[1:]
        for nibble, digit in enumerate("0123456789abcdef"):
            below = [pair for pair in pairs if pair[0][at] == digit]
            if below:
                branch[nibble] = self._reference(self._build(below, at + 1))
        return branch


def _walk(node_of: Callable[[bytes], list[Item]], root: bytes, key: bytes) -> bytes | None:
    if root == EMPTY_ROOT:
        return None
    path = key.hex()
    at = 0
    node = node_of(root)
    while True:
        if len(node) == _BRANCH_ITEMS:
            if at == len(path):
                return _value(node[16]) or None
            child = node[int(path[at], 16)]
            at += 1
            if child == b"":
                return None
        else:
            shared, is_leaf = _unpacked(node)
            if is_leaf:
                return _value(node[1]) if path[at:] == shared else None
            if not path.startswith(shared, at):
                return None
            at += len(shared)
            child = node[1]
        node = node_of(child) if isinstance(child, bytes) else child


def _decoded(raw: bytes) -> list[Item]:
    try:
        return decode_list(raw)
    except InvalidInput as error:
        raise VerificationFailed(f"A trie node is malformed: {error.message}") from error


def _value(item: Item) -> bytes:
    if not isinstance(item, bytes):
        raise VerificationFailed("A trie node has a list in place of its value.")
    return item


def _unpacked(node: list[Item]) -> tuple[str, bool]:
    """Return the nibbles of an extension's or leaf's path from its hex-prefix encoding, and whether it is a leaf."""
    digits = node[0].hex() if len(node) == 2 and isinstance(node[0], bytes) else ""
    if digits[:1] in ("1", "3"):
        return digits[1:], digits[0] == "3"
    if digits[:2] in ("00", "20"):
        return digits[2:], digits[0] == "2"
    raise VerificationFailed("A trie node is not a branch, an extension or a leaf.")


def _packed(nibbles: str, *, is_leaf: bool) -> bytes:
    """Return a path's hex-prefix encoding."""
    flag = 2 if is_leaf else 0
    return bytes.fromhex(f"{flag + 1}{nibbles}" if len(nibbles) % 2 else f"{flag}0{nibbles}")
