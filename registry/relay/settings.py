"""The settings of a relayer."""

from __future__ import annotations

from dataclasses import dataclass

from registry.chain.finality import Finality, FinalityRule
from registry.relay.fees import GWEI


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The settings of a relayer.

    Args:
        finality: When a block is final.
        bound_seconds: The published bound from accepted to mined; an error is logged beyond it.
        lease_seconds: How long the lease of the key lasts without renewal.
        poll_seconds: The pause when there is nothing to do.
        window: The most transactions that wait for a block at a time; fewer than a node's pool holds for one account
            (geth's holds 5,120 in total).
        resend_seconds: The time after which a transaction that is in no block is sent again unchanged.
        stuck_blocks: A transaction is replaced if it is in no block after this number of blocks and `resend_seconds`.
        stale_seconds: If the newest block is older than this, the node counts as isolated and nothing is replaced.
        maximum_fee: The most that is ever offered, wei per unit of gas.
        deploy_seconds: The time after which a deployment that is in no block raises an error.
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
