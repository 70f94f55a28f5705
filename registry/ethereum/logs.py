"""Contract logs and their position on the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from registry.base.primitives import Address, Bytes32


@dataclass(frozen=True, slots=True)
class Log:
    """One log entry of a receipt.

    Args:
        address: The contract that emitted it.
        topics: Up to four 32-byte topics; the first is the event's signature hash.
        data: The ABI-encoded values that are not indexed.
    """

    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes

    @classmethod
    def from_rpc(cls, log: Mapping[str, Any]) -> Self:
        """Read the log object of a JSON-RPC answer."""
        return cls(
            address=_address(log["address"]),
            topics=tuple([Bytes32(bytes.fromhex(topic[2:])) for topic in log["topics"]]),
            data=bytes.fromhex(log["data"][2:]),
        )


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """The position and time of a log on the chain, ordered as on the chain.

    Args:
        block_number: The block's height.
        log_index: The log's index in its block.
        timestamp: The block's time, Unix seconds, UTC.
        block_hash: The block's hash.
        transaction_hash: The transaction's hash.
    """

    block_number: int
    log_index: int
    timestamp: int
    block_hash: Bytes32
    transaction_hash: Bytes32


@lru_cache(maxsize=64)
def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))  # Cached: few contracts emit all the logs.
