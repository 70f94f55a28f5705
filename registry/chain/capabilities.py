"""What a chain's node offers: clients and networks differ, and what is missing should be known at the start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.base.primitives import ZERO_ADDRESS
from registry.chain.client import INVALID_PARAMS, METHOD_NOT_FOUND, Chain, ChainUnavailable, RpcError

FINALIZED = "finalized"
"""The tag of the newest block that consensus never takes back."""


class FinalizedTag(StrEnum):
    """Whether a node answers for the tag `finalized`."""

    OFFERED = "offered"
    NOT_YET = "not yet"
    """The chain finalizes by proof of stake, and has not finalized its first block, or this node has not seen it."""
    ABSENT = "absent"
    """The client does not know the tag, or the chain's consensus (Clique, QBFT, proof of work) finalizes nothing."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a node offers.

    Args:
        client: The node's name and version for people; empty if it does not say.
        finalized: Whether it answers for the tag `finalized`.
        block_receipts: Whether it gives all receipts of a block at once (`eth_getBlockReceipts`).
        proofs: Whether it proves an account's state (`eth_getProof`), which evidence needs.
        base_fee: Whether blocks have a base fee (EIP-1559).
    """

    client: str
    finalized: FinalizedTag
    block_receipts: bool
    proofs: bool
    base_fee: bool


def detect(chain: Chain) -> Capabilities:
    """Ask a node what it offers.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused to give its newest block.
    """
    client, latest, finalized, receipts, proof = chain.batch(
        [
            ("web3_clientVersion", ()),
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_getBlockByNumber", (FINALIZED, False)),
            ("eth_getBlockReceipts", ("0x0",)),
            ("eth_getProof", (str(ZERO_ADDRESS), [], "latest")),
        ]
    )
    if isinstance(latest, RpcError):
        raise latest
    if not isinstance(latest, dict):
        raise ChainUnavailable("The node gave no latest block.")
    return Capabilities(
        client=client[:200] if isinstance(client, str) else "",
        finalized=_finalized_tag(finalized, latest),
        block_receipts=not (isinstance(receipts, RpcError) and receipts.code == METHOD_NOT_FOUND),
        proofs=isinstance(proof, dict),
        base_fee=latest.get("baseFeePerGas") is not None,
    )


def _finalized_tag(answer: Any, latest: dict[str, Any]) -> FinalizedTag:
    """Tell a node that never has a finalized block from one that has none yet.

    Both give the same answer: null, or an error in each client's own words (geth's "finalized block not found",
    Besu's "Unknown block"). The difference is in the blocks: only where proof of stake took over is the difficulty 0
    (EIP-3675). A client that does not know the tag at all calls the parameter invalid.
    """
    if isinstance(answer, dict):
        return FinalizedTag.OFFERED
    is_unknown = isinstance(answer, RpcError) and answer.code == INVALID_PARAMS
    try:
        is_proof_of_stake = int(latest["difficulty"], 16) == 0
    except (KeyError, TypeError, ValueError):
        is_proof_of_stake = False
    return FinalizedTag.NOT_YET if is_proof_of_stake and not is_unknown else FinalizedTag.ABSENT
