"""EVM receipts of transactions, and the trie that proves a receipt is in its block.

A block's receipts are in a trie under `rlp(index)`. A receipt of type 0 is the RLP of its fields; any other has its
type as one byte before that. Source: the Ethereum Yellow Paper, section 4.3.1; EIP-2718.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.ethereum.logs import Log
from registry.ethereum.rlp import Item, as_bytes, as_list, as_number, decode_list, encode, number
from registry.ethereum.trie import Trie

_LARGEST_TYPE = 0x7F
_TOPICS_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class EvmReceipt:
    """The outcome of a transaction.

    Args:
        succeeded: Whether it was executed; a reverted transaction has no logs.
        logs: Its logs, in order.
    """

    succeeded: bool
    logs: tuple[Log, ...]


def receipt_key(transaction_index: int) -> bytes:
    """Return the key of a transaction's receipt in the trie.

    Args:
        transaction_index: The transaction's index in the block, from 0.
    """
    return encode(number(transaction_index))


def decode_receipt(raw: bytes) -> EvmReceipt:
    """Decode a receipt from its form in the trie.

    Args:
        raw: The encoded receipt.

    Raises:
        InvalidInput: The bytes are not a receipt.
    """
    typed = raw[:1] <= bytes([_LARGEST_TYPE])
    fields = decode_list(raw[1:] if typed else raw)
    if len(fields) != 4:
        raise InvalidInput(f"A receipt has 4 fields; got {len(fields)}.")
    as_bytes(fields[2], 256)
    return EvmReceipt(as_number(fields[0], 8) == 1, tuple(_log(log) for log in as_list(fields[3])))


def encode_receipt(receipt: Mapping[str, Any]) -> bytes:
    """Return a receipt's form in the trie from its JSON-RPC form."""
    logs: list[Item] = [
        [_data(log["address"]), [_data(topic) for topic in log["topics"]], _data(log["data"])]
        for log in receipt["logs"]
    ]
    fields: list[Item] = [
        number(int(receipt["status"], 16)),
        number(int(receipt["cumulativeGasUsed"], 16)),
        _data(receipt["logsBloom"]),
        logs,
    ]
    return number(int(receipt.get("type", "0x0"), 16)) + encode(fields)


def receipts_trie(receipts: Sequence[Mapping[str, Any]]) -> Trie:
    """Return the trie over all receipts of a block, given as `eth_getBlockReceipts` returns them."""
    return Trie({receipt_key(index): encode_receipt(receipt) for index, receipt in enumerate(receipts)})


def _log(item: Item) -> Log:
    fields = as_list(item)
    if len(fields) != 3:
        raise InvalidInput(f"A log has 3 fields; got {len(fields)}.")
    topics = as_list(fields[1])
    if len(topics) > _TOPICS_AT_MOST:
        raise InvalidInput(f"A log has at most {_TOPICS_AT_MOST} topics; got {len(topics)}.")
    return Log(
        address=Address(as_bytes(fields[0], 20)),
        topics=tuple(Bytes32(as_bytes(topic, 32)) for topic in topics),
        data=as_bytes(fields[2]),
    )


def _data(text: str) -> bytes:
    return bytes.fromhex(text[2:])
