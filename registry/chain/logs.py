"""Filter logs on the embedded chain, using the blocks' blooms to skip blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from registry.base.primitives import keccak256
from registry.chain import params
from registry.chain.client import INVALID_PARAMS, RpcError

MAX_LOGS = 10_000
MAX_ALTERNATIVES = 1_000
FILTER_FIELDS = frozenset({"address", "topics", "fromBlock", "toBlock", "blockHash"})


@dataclass(frozen=True, slots=True)
class LogFilter:
    """A filter for logs.

    Args:
        addresses: The contracts (20 bytes each) that may have emitted the log; empty: any.
        topics: For each position the allowed values (32 bytes each); empty: any value.
    """

    addresses: frozenset[bytes]
    topics: tuple[frozenset[bytes], ...]

    @classmethod
    def parse(cls, address: object, topics: object) -> Self:
        """Parse `address` and `topics` of `eth_getLogs`; None where they are absent.

        Raises:
            RpcError: They are malformed.
        """
        if topics is None:
            topics = []
        if not isinstance(topics, Sequence) or isinstance(topics, str) or len(topics) > 4:
            raise RpcError(INVALID_PARAMS, "invalid argument: topics must be a list of at most four")
        return cls(
            addresses=_alternatives(address, "address", 20),
            topics=tuple(_alternatives(topic, "topic", 32) for topic in topics),
        )

    def wants(self, address: bytes, topics: Sequence[bytes]) -> bool:
        """Return whether a log with this address and these topics matches."""
        return (
            (not self.addresses or address in self.addresses)
            and len(topics) >= len(self.topics)
            and all(not allowed or topic in allowed for allowed, topic in zip(self.topics, topics, strict=False))
        )

    def masks(self) -> tuple[tuple[int, ...], ...]:
        """Return, for each condition, the bloom bits of each alternative. A block can match only if it has all bits of
        one.
        """
        return tuple(
            tuple(_bloom_bits(value) for value in alternatives)
            for alternatives in (self.addresses, *self.topics)
            if alternatives
        )


def may_contain(bloom: int, masks: tuple[tuple[int, ...], ...]) -> bool:
    """Return whether a block with this bloom may have matching logs. False is certain, true is not."""
    return all(any(bloom & bits == bits for bits in alternatives) for alternatives in masks)


def _alternatives(value: object, name: str, length: int) -> frozenset[bytes]:
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return frozenset({params.data(value, name, length)})
    if not isinstance(value, Sequence) or len(value) > MAX_ALTERNATIVES:
        raise RpcError(INVALID_PARAMS, f"invalid argument: {name} must be one, or a list of at most {MAX_ALTERNATIVES}")
    return frozenset(params.data(item, name, length) for item in value)


def _bloom_bits(value: bytes) -> int:
    digest = keccak256(value)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
    return bits
