"""Read the state of the embedded chain from its Merkle-Patricia tries, at any block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

import rlp
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth.rlp.accounts import Account
from trie.hexary import HexaryTrie

from registry.base.primitives import keccak256

ReadNode = Callable[[bytes], bytes]
"""Returns a trie node's or a contract's bytes by their hash; raises KeyError if it is unknown."""


@dataclass(frozen=True, slots=True)
class StorageProof:
    """The value of a storage slot and its proof.

    Args:
        slot: The slot's number.
        value: Its value.
        proof: The trie nodes from the storage root down to it, as RLP.
    """

    slot: int
    value: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account and its proof (EIP-1186).

    Args:
        account: The account.
        proof: The trie nodes from the state root down to it, as RLP.
        storage: The proofs of its slots.
    """

    account: Account
    proof: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


def account_at(read: ReadNode, state_root: bytes, address: bytes) -> Account:
    """Return the account of a 20-byte address; an empty one if there is none."""
    body = HexaryTrie(_Nodes(read), state_root)[keccak256(address)]
    return rlp.decode(body, sedes=Account) if body else Account()


def code_at(read: ReadNode, state_root: bytes, address: bytes) -> bytes:
    """Return the code of a 20-byte address; empty if it has none."""
    code_hash = account_at(read, state_root, address).code_hash
    return b"" if code_hash == EMPTY_SHA3 else read(code_hash)


def storage_at(read: ReadNode, state_root: bytes, address: bytes, slot: int) -> int:
    """Return the value of a storage slot; 0 if it was never set."""
    return _slot_in(HexaryTrie(_Nodes(read), account_at(read, state_root, address).storage_root), slot)


def prove(read: ReadNode, state_root: bytes, address: bytes, slots: list[int]) -> AccountProof:
    """Return proofs of an account and some of its slots, whether they exist or not.

    Args:
        read: Reads the trie nodes.
        state_root: The state root of the block.
        address: 20 bytes.
        slots: The storage slots' numbers.
    """
    account = account_at(read, state_root, address)
    storage = HexaryTrie(_Nodes(read), account.storage_root)
    return AccountProof(
        account=account,
        proof=_path(read, state_root, keccak256(address)),
        storage=tuple(
            StorageProof(slot, _slot_in(storage, slot), _path(read, account.storage_root, _slot_key(slot)))
            for slot in slots
        ),
    )


def _slot_key(slot: int) -> bytes:
    return keccak256(slot.to_bytes(32, "big"))


def _slot_in(storage: HexaryTrie, slot: int) -> int:
    body = storage[_slot_key(slot)]
    return int.from_bytes(rlp.decode(body), "big") if body else 0


def _path(read: ReadNode, root: bytes, key: bytes) -> tuple[bytes, ...]:
    if root == BLANK_ROOT_HASH:
        return ()
    trie: Any = HexaryTrie(_Nodes(read), root)
    nodes: list[Any] = list(trie.get_proof(key))
    # A node shorter than 32 bytes is part of its parent, and an absent one is empty: neither is listed separately.
    encoded = [rlp.encode(node) for node in nodes]
    return tuple(node for index, node in enumerate(encoded) if index == 0 or len(node) >= 32)


class _Nodes(MutableMapping[bytes, bytes]):
    """The nodes as a mapping for py-trie. It is never written to."""

    def __init__(self, read: ReadNode) -> None:
        self._read = read

    def __getitem__(self, key: bytes) -> bytes:
        return self._read(key)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("The state of an existing block cannot be changed.")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("The state of an existing block cannot be changed.")

    def __iter__(self) -> Iterator[bytes]:
        raise TypeError("The nodes of a trie are not listed.")

    def __len__(self) -> int:
        raise TypeError("The nodes of a trie are not counted.")
