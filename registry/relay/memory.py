"""The state that a relayer keeps in memory between steps. A new process determines it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.base.primitives import Bytes32
from registry.relay.model import NonceSlot


@dataclass(slots=True)
class Sending:
    """The times at which a transaction was sent.

    Args:
        at: When it was last sent, Unix seconds.
        height: The height of the newest block when it was first sent.
    """

    at: float
    height: int


@dataclass(slots=True)
class RelayMemory:
    """The state that a relayer keeps in memory.

    Args:
        sendings: When each transaction was sent, by its hash.
        rejected: Why a node will never accept a nonce's transaction.
        foreign: How often a nonce was seen as used without any of our transactions in a block.
        underpriced: The nonces whose transaction offers too little for the node.
        unpaid: The most that each transaction refused for lack of funds can cost, wei, by nonce.
        unsigned: The most that the messages not signed for lack of funds can cost, wei.
        looked_final: The blocks that looked final at the last step.
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
        """The cost of what must be paid for to continue, wei; 0 if nothing is unpaid."""
        return self.unsigned + sum(self.unpaid.values())

    def forget(self, slot: NonceSlot) -> None:
        """Forget a nonce whose transaction is in a block, or that was given up."""
        for attempt in slot.attempts:
            self.sendings.pop(attempt.hash, None)
        for remembered in (self.rejected, self.foreign, self.unpaid):
            remembered.pop(slot.nonce, None)
        self.underpriced.discard(slot.nonce)
