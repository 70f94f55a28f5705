"""The state of a node."""

from __future__ import annotations

from typing import Literal

from registry.sdk.models.result import Height, Int, Result, Time


class RelayerHealth(Result):
    """The state of the relayer.

    Attributes:
        balance_wei: Its balance, a decimal number; None if it is not known.
        in_flight: The number of transactions that are not mined yet.
        oldest_unmined_seconds: The age of the oldest accepted message that is not mined yet, if known.
    """

    balance_wei: str | None
    in_flight: Int
    oldest_unmined_seconds: float | None


class Health(Result):
    """The state of a node.

    Attributes:
        status: ready or degraded.
        problems: What is wrong, as sentences; empty if ready.
        chain_id: The chain's id (EIP-155).
        height: The height of the chain; None if it cannot be reached.
        final_block: The highest final block, if known.
        index_block: The last block in the index, if any.
        lag_blocks: How many blocks the index is behind.
        relayer: The state of the relayer.
        version: The version of the program.
        time: The time of the node's clock.
    """

    status: Literal["ready", "degraded"]
    problems: tuple[str, ...]
    chain_id: Int
    height: Height | None
    final_block: Height | None
    index_block: Height | None
    lag_blocks: Int | None
    relayer: RelayerHealth
    version: str
    time: Time
