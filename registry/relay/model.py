"""What the relayer works with: pending messages, nonces, transactions, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry.base.primitives import Bytes32
from registry.ethereum.logs import Moment
from registry.relay.fees import Fees
from registry.relay.receipts import Failure, Status
from registry.relay.signing import Payload

MESSAGE: Final = "message"
DEPLOY: Final = "deploy"
FILL: Final = "fill"
FOREIGN: Final = "foreign"
"""What a nonce is used for. A foreign one was used by a transaction that is not in the database."""
OPEN: Final = "open"
MINED: Final = "mined"
FINAL: Final = "final"
"""The state of a nonce."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """An accepted message without a nonce.

    Args:
        seq: Its receipt's place in the order.
        payload: What is to be sent.
        deadline: Until when it is valid, Unix seconds.
        status: Its status: `accepted`, or `sent` where a transaction of another program used its nonce.
    """

    seq: int
    payload: Payload
    deadline: int
    status: Status


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction.

    Args:
        nonce: Its nonce.
        number: 1 for the nonce's first.
        hash: Its hash.
        fees: What it offers.
        is_fill: Whether it only uses up the nonce.
        was_sent: Whether a node accepted it.
    """

    nonce: int
    number: int
    hash: Bytes32
    fees: Fees
    is_fill: bool
    was_sent: bool


@dataclass(frozen=True, slots=True)
class NonceSlot:
    """A nonce that is not in a block yet.

    Args:
        nonce: The nonce.
        purpose: What it is used for: `MESSAGE`, `DEPLOY` or `FILL`.
        receipt_seq: The receipt of the message that it carries, if it carries one.
        attempts: All its transactions in ascending order.
    """

    nonce: int
    purpose: str
    receipt_seq: int | None
    attempts: tuple[Attempt, ...]

    @property
    def latest(self) -> Attempt:
        """The newest attempt, which is the one to be sent."""
        return self.attempts[-1]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An attempt that is in a block.

    Args:
        slot: Its nonce.
        attempt: The attempt.
        block_number: The block's height.
        block_hash: The block's hash.
        succeeded: Whether it did not revert.
        gas_used: The gas that it used.
    """

    slot: NonceSlot
    attempt: Attempt
    block_number: int
    block_hash: Bytes32
    succeeded: bool
    gas_used: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an inclusion means for the message.

    Args:
        inclusion: The inclusion.
        effect: The moment of the effect, where another transaction had it.
        failure: Why there was no effect, if there was none.
    """

    inclusion: Inclusion
    effect: Moment | None = None
    failure: Failure | None = None
