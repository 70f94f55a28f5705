"""What a relayer remembers between its steps. It is lost with the process, and then found out again."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.base.primitives import Bytes32
from registry.relay.model import NonceSlot


@dataclass(slots=True)
class Sending:
    """When a transaction was sent.

    Args:
        at: The last time, Unix seconds.
        height: The height of the newest block at the first time.
    """

    at: float
    height: int


@dataclass(slots=True)
class RelayMemory:
    """What a relayer remembers.

    Args:
        sendings: When each transaction was sent, by its hash.
        rejected: Why a node will never accept a nonce's transaction.
        foreign: How often a nonce was seen as used without any of our transactions in a block.
        underpriced: The nonces whose transaction offers too little for the node.
        unpaid: What the transactions cost at most, wei, that the node refused because the account has too little, by
            nonce.
        unsigned: What the messages cost at most, wei, that the balance did not allow to sign.
        looked_final: The blocks that looked final the last time.
    """

    sendings: dict[Bytes32, Sending] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    foreign: dict[int, int] = field(default_factory=dict)
    underpriced: set[int] = field(default_factory=set)
    unpaid: dict[int, int] = field(default_factory=dict)
    unsigned: int = 0
    looked_final: set[Bytes32] = field(default_factory=set)

    @property
    def due(self) -> int:
        """What must be paid for to continue, wei; 0 if nothing is unpaid."""
        return self.unsigned + sum(self.unpaid.values())

    def forget(self, slot: NonceSlot) -> None:
        """Forget a nonce that is in a block, or was given up."""
        for attempt in slot.attempts:
            self.sendings.pop(attempt.hash, None)
        for remembered in (self.rejected, self.foreign, self.unpaid):
            remembered.pop(slot.nonce, None)
        self.underpriced.discard(slot.nonce)
