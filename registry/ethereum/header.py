"""Block headers: their hash, recomputed from their RLP, and the fields that evidence uses.

The first fifteen fields exist in every block since the first; each fork appends fields (Shanghai has 17, Cancun 20,
Prague 21). Headers of later forks can therefore be read too: the hash covers whatever was appended.

Source: the Ethereum Yellow Paper, section 4.4; EIP-1559, 4895, 4844, 4788, 7685.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32, keccak256
from registry.ethereum.rlp import Item, as_bytes, as_number, decode_list, encode, number

_DATA = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom")
_FIELDS = (
    *_DATA,
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas"),
    *("withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)
"""The fields in their order, by the names that JSON-RPC has for them."""

_NUMBERS = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
_NUMBER_BITS = 48
"""No chain has larger heights or times, and every JSON reader keeps such numbers exactly."""
_FIELDS_AT_LEAST = 15
_FIELDS_AT_MOST = 32


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header that evidence uses.

    Args:
        hash: The block's hash: Keccak-256 of the header's RLP.
        parent_hash: The hash of the preceding block.
        number: The block's height.
        timestamp: Unix seconds, UTC.
        state_root: The root of all accounts after this block.
        receipts_root: The root of this block's receipts.
    """

    hash: Bytes32
    parent_hash: Bytes32
    number: int
    timestamp: int
    state_root: Bytes32
    receipts_root: Bytes32

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Decode a header's RLP.

        Args:
            raw: The RLP bytes.

        Raises:
            InvalidInput: The bytes are not the RLP of a header.
        """
        fields = decode_list(raw)
        if not _FIELDS_AT_LEAST <= len(fields) <= _FIELDS_AT_MOST:
            raise InvalidInput(f"A block header has {_FIELDS_AT_LEAST} or more fields; got {len(fields)}.")
        return cls(
            hash=Bytes32(keccak256(raw)),
            parent_hash=Bytes32(as_bytes(fields[0], 32)),
            number=as_number(fields[8], _NUMBER_BITS),
            timestamp=as_number(fields[11], _NUMBER_BITS),
            state_root=Bytes32(as_bytes(fields[3], 32)),
            receipts_root=Bytes32(as_bytes(fields[5], 32)),
        )


def encode_header(block: Mapping[str, Any]) -> bytes:
    """Return a header's RLP from a block as JSON-RPC returns it.

    Args:
        block: The block's JSON object.

    Raises:
        InvalidInput: The result does not hash to the stated hash: the node left out fields, or the chain hashes its
            blocks differently (as Besu's QBFT and IBFT do), so that they cannot be verified offline.
    """
    present = [name for name in _FIELDS if block.get(name) is not None]
    fields: list[Item] = [
        number(int(block[name], 16)) if name in _NUMBERS else bytes.fromhex(block[name][2:]) for name in present
    ]
    raw = encode(fields)
    if f"0x{keccak256(raw).hex()}" != block["hash"]:
        raise InvalidInput(
            f"The header of block {int(block['number'], 16)} does not hash to {block['hash']}.",
            hint="Blocks of chains that do not hash them as Ethereum does cannot be verified offline.",
        )
    return raw
