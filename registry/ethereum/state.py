"""The state at a block: accounts and storage slots under its state root, and where the contracts keep what is shown.

Source: the Ethereum Yellow Paper, section 4.1; Solidity's layout of state variables in storage; EIP-1186.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.ethereum.abi import left_padded, uint
from registry.ethereum.rlp import as_bytes, as_number, decode, decode_list
from registry.ethereum.trie import Nodes

HEADS_SLOT = 8
"""Where `DatasetRegistry` has its mapping of heads."""
PAIRS_SLOT = 2
"""Where `AccessGrants` has its mapping of what it keeps of a dataset and a grantee."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the state.

    Args:
        storage_root: The root of its storage.
        code_hash: Keccak-256 of its code.
    """

    storage_root: Bytes32
    code_hash: Bytes32


@dataclass(frozen=True, slots=True)
class Pair:
    """What `AccessGrants` keeps of a dataset and a grantee, in one slot. Times are Unix seconds, UTC."""

    starts_at: int = 0
    expires_at: int = 0
    rights: int = 0
    epoch: int = 0
    requests: int = 0
    revoked: bool = False

    @classmethod
    def unpack(cls, word: Bytes32) -> Self:
        """Reads the slot's 32 bytes.

        Raises:
            VerificationFailed: They are none that the contract could have written.
        """
        bits = int.from_bytes(word, "big")

        def take(width: int) -> int:
            nonlocal bits
            bits, value = bits >> width, bits & ((1 << width) - 1)
            return value

        pair = cls(take(48), take(48), take(32), take(32), take(32), bool(take(8)))
        if bits or word[7] > 1:
            raise VerificationFailed(f"The slot {word} is none that AccessGrants could have written.")
        return pair


def account_at(nodes: Nodes, state_root: Bytes32, address: Address) -> Account:
    """The account of an address.

    Raises:
        VerificationFailed: The nodes do not show it, or show that there is none.
    """
    raw = nodes.value(state_root, keccak256(address))
    if raw is None:
        raise VerificationFailed(f"The state has no account {address}.")
    try:
        _, _, storage_root, code_hash = decode_list(raw)
        return Account(Bytes32(as_bytes(storage_root, 32)), Bytes32(as_bytes(code_hash, 32)))
    except (InvalidInput, ValueError) as error:
        raise VerificationFailed(f"The account {address} is malformed: {error}.") from error


def slot_at(nodes: Nodes, storage_root: Bytes32, slot: Bytes32) -> Bytes32:
    """The 32 bytes in a storage slot; all zero where the nodes show that nothing was ever written there.

    Raises:
        VerificationFailed: The nodes do not show it.
    """
    raw = nodes.value(storage_root, keccak256(slot))
    if raw is None:
        return Bytes32(bytes(32))
    try:
        return Bytes32(uint(as_number(decode(raw), 256)))
    except InvalidInput as error:
        raise VerificationFailed(f"The value of the slot {slot} is malformed: {error.message}") from error


def head_slot(dataset_id: DatasetId) -> Bytes32:
    """Where `DatasetRegistry` keeps a dataset's head."""
    return _in_mapping(HEADS_SLOT.to_bytes(32, "big"), dataset_id)


def pair_slot(dataset_id: DatasetId, grantee: Address) -> Bytes32:
    """Where `AccessGrants` keeps all that it keeps of a dataset and a grantee."""
    return _in_mapping(_in_mapping(PAIRS_SLOT.to_bytes(32, "big"), dataset_id), left_padded(grantee))


def _in_mapping(base: bytes, key: bytes) -> Bytes32:
    return Bytes32(keccak256(key + base))
