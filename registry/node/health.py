"""The health of a node at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.base.primitives import Address
from registry.base.times import iso_time
from registry.metrics import NodeFigures
from registry.rooms.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a node.

    Args:
        figures: The measurements.
        problems: What is wrong, as sentences.
        deployment: The chain and the contracts.
        relayer: The relaying account; None if this process does not know it.
        finality: When a block is final, as JSON; None if no node has been asked yet.
        bound_seconds: The published bound from accepted to mined.
        version: The program's version.
        time: The time of the measurement, Unix seconds.
    """

    figures: NodeFigures
    problems: tuple[str, ...]
    deployment: Deployment
    relayer: Address | None
    finality: dict[str, Any] | None
    bound_seconds: float
    version: str
    time: float

    @property
    def is_ready(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the gateway's JSON form."""
        now = self.figures
        lag = None
        if now.chain_block is not None and now.index_block is not None:
            lag = max(0, now.chain_block - now.index_block)
        return {
            "status": "ready" if self.is_ready else "degraded",
            "problems": list(self.problems),
            "chainId": self.deployment.chain_id,
            "height": now.chain_block,
            "finalBlock": now.final_block,
            "finality": self.finality,
            "indexBlock": now.index_block,
            "lagBlocks": lag,
            "relayer": {
                "address": None if self.relayer is None else str(self.relayer),
                "balanceWei": None if now.relayer_balance_wei is None else str(now.relayer_balance_wei),
                "inFlight": now.in_flight or 0,
                "oldestUnminedSeconds": now.oldest_unmined_seconds,
            },
            "checkpoint": {
                "height": now.checkpoint_block,
                "cosignatures": now.checkpoint_cosignatures,
                "alarms": now.checkpoint_alarms,
            },
            "acceptedToMinedBoundSeconds": self.bound_seconds,
            "version": self.version,
            "time": iso_time(self.time),
        }
