"""The settings of a relayer."""

from __future__ import annotations

from dataclasses import dataclass

from registry.chain.finality import Finality, FinalityRule
from registry.relay.fees import GWEI


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """How the relayer behaves.

    Args:
        finality: When a block is final.
        bound_seconds: The published bound from accepted to mined; an error is logged beyond it.
        lease_seconds: How long the lease of the key lasts without renewal.
        poll_seconds: The pause when there is nothing to do.
        window: The most transactions that wait for a block at a time; less than what a node's pool holds of one account
            (geth's: 5,120 in all).
        resend_seconds: After so long without a block the same bytes are sent again.
        stuck_blocks: After so many blocks, and `resend_seconds`, without it, a transaction is replaced.
        stale_seconds: A node whose newest block is older than that is taken to be isolated: nothing is replaced.
        maximum_fee: The most that is ever offered, wei a unit of gas.
        deploy_seconds: After so long a deployment that is in no block counts as failed for now.
    """

    finality: Finality | FinalityRule = "auto"
    bound_seconds: float = 120.0
    lease_seconds: float = 30.0
    poll_seconds: float = 0.5
    window: int = 2048
    resend_seconds: float = 5.0
    stuck_blocks: int = 3
    stale_seconds: float = 60.0
    maximum_fee: int = 1000 * GWEI
    deploy_seconds: float = 120.0
