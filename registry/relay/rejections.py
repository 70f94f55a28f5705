"""Why a node did not take a transaction. JSON-RPC has no codes for it, so the words of the clients in use are known."""

from __future__ import annotations

from enum import Enum, auto

from registry.chain.client import RpcError


class Rejection(Enum):
    """What a rejection means for the transaction."""

    KNOWN = auto()
    """The node has it, or has passed its nonce: to be found in a block."""
    UNDERPRICED = auto()
    """It offers too little to be taken, or to replace another."""
    UNFUNDED = auto()
    """The account cannot pay for it, with all else of it that waits."""
    PERMANENT = auto()
    """No node of this chain will ever take it."""
    TEMPORARY = auto()
    """It may be taken later."""


# Sources: geth core/txpool/errors.go and core/error.go; besu's TransactionInvalidReason; nethermind's AcceptTxResult;
# anvil's InvalidTransactionError; registry.devchain.pool.
_WORDS = (
    (
        Rejection.KNOWN,
        ("already known", "already imported", "known transaction", "alreadyknown", "already in the pool"),
    ),
    (Rejection.KNOWN, ("nonce too low", "nonce_too_low", "oldnonce", "old nonce", "nonce is too low")),
    (
        Rejection.UNDERPRICED,
        (
            "underpriced",
            "fee too low",
            "less than block base fee",
            "max fee per gas less",
            "feetoolow",
            "gas price too low",
            "gas price below",
        ),
    ),
    (
        Rejection.UNFUNDED,
        (
            "insufficient funds",
            "insufficient balance",
            "insufficientfunds",
            "upfront cost exceeds account balance",
            "upfront_cost_exceeds_balance",
        ),
    ),
    (
        Rejection.PERMANENT,
        (
            "exceeds block gas limit",
            "gas limit too high",
            "exceeds transaction gas limit",
            "intrinsic gas",
            "oversized data",
            "transaction type not supported",
            "invalid chain id",
            "invalid sender",
            "max initcode size",
        ),
    ),
)


def read(error: RpcError) -> Rejection:
    """What a node's error on ``eth_sendRawTransaction`` means. Words that are not known count as temporary."""
    said = error.message.lower()
    return next((kind for kind, words in _WORDS if any(word in said for word in words)), Rejection.TEMPORARY)
