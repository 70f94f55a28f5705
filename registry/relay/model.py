"""The values that the relayer works with: pending messages, nonces, transactions, and their outcomes."""

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
"""The purposes of nonces. A foreign nonce was used by a transaction that is not in the database."""
OPEN: Final = "open"
MINED: Final = "mined"
FINAL: Final = "final"
"""The states of nonces."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """An accepted message without a nonce.

    Args:
        seq: The sequence number of its receipt.
        payload: The call to be sent.
        deadline: The end of its validity, Unix seconds.
        status: The status of its receipt: `accepted`, or `sent` if another program's transaction used its nonce.
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
        number: 1 for the first transaction of the nonce.
        hash: The transaction's hash.
        fees: The fees that it offers.
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
    """A nonce whose transaction is not in a block yet.

    Args:
        nonce: The nonce.
        purpose: What it is used for: `MESSAGE`, `DEPLOY` or `FILL`.
        receipt_seq: The sequence number of the message's receipt; None if it carries no message.
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
        slot: The nonce.
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
    """The outcome of an inclusion for its message.

    Args:
        inclusion: The inclusion.
        effect: The moment of the effect, if another transaction caused it.
        failure: Why the message did not take effect; None if it did.
    """

    inclusion: Inclusion
    effect: Moment | None = None
    failure: Failure | None = None
