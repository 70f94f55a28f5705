"""Reasons why a node rejected a transaction, recognised by the error texts of common clients: JSON-RPC has no codes."""

from __future__ import annotations

from enum import Enum, auto

from registry.chain.client import RpcError


class Rejection(Enum):
    """The meaning of a rejection for the transaction."""

    KNOWN = auto()
    """The node already has it, or its nonce is used: look for it in a block."""
    UNDERPRICED = auto()
    """It offers too little to be accepted, or to replace another."""
    UNFUNDED = auto()
    """The account cannot pay for it together with its other pending transactions."""
    PERMANENT = auto()
    """No node of this chain will ever accept it."""
    TEMPORARY = auto()
    """It may be accepted later."""


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


def classify(error: RpcError) -> Rejection:
    """Return the meaning of a node's error on ``eth_sendRawTransaction``. Unknown texts count as temporary."""
    text = error.message.lower()
    return next((kind for kind, words in _WORDS if any(word in text for word in words)), Rejection.TEMPORARY)
