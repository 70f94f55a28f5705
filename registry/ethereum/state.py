"""Read the state at a block: accounts and storage slots under its state root.

Source: the Ethereum Yellow Paper, section 4.1; Solidity's layout of state variables in storage; EIP-1186.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32, keccak256
from registry.ethereum.abi import uint
from registry.ethereum.rlp import as_bytes, as_number, decode, decode_list
from registry.ethereum.trie import Nodes


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the state.

    Args:
        storage_root: The root of its storage.
        code_hash: Keccak-256 of its code.
    """

    storage_root: Bytes32
    code_hash: Bytes32


def account_at(nodes: Nodes, state_root: Bytes32, address: Address) -> Account:
    """Return the account of an address.

    Raises:
        VerificationFailed: The nodes do not show it, or show that it does not exist.
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
    """Return the 32 bytes in a storage slot; all zero where the nodes show that nothing was ever written there.

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


def mapping_slot(base: bytes, key: bytes) -> Bytes32:
    """Return the slot of a mapping's value.

    Args:
        base: The mapping's own slot, 32 bytes.
        key: The key, padded to 32 bytes.
    """
    return Bytes32(keccak256(key + base))
