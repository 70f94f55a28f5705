"""Detect what a chain's node supports: clients and networks differ, and gaps should be known at the start."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.base.primitives import ZERO_ADDRESS
from registry.chain.client import INVALID_PARAMS, METHOD_NOT_FOUND, Chain, ChainUnavailable, RpcError

FINALIZED = "finalized"
"""The tag of the newest block that consensus will never revert."""


class FinalizedTag(StrEnum):
    """Whether a node supports the tag `finalized`."""

    OFFERED = "offered"
    NOT_YET = "not yet"
    """The chain finalizes by proof of stake, but has no finalized block yet, or this node has not seen one."""
    ABSENT = "absent"
    """The client does not know the tag, or the chain's consensus (Clique, QBFT, proof of work) does not finalize."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The features of a node.

    Args:
        client: The node's name and version for people; empty if it does not state them.
        finalized: Whether it supports the tag `finalized`.
        block_receipts: Whether it returns all receipts of a block at once (`eth_getBlockReceipts`).
        proofs: Whether it proves an account's state (`eth_getProof`), which evidence needs.
        base_fee: Whether blocks have a base fee (EIP-1559).
    """

    client: str
    finalized: FinalizedTag
    block_receipts: bool
    proofs: bool
    base_fee: bool


def detect(chain: Chain) -> Capabilities:
    """Ask a node for its capabilities.

    Raises:
        ChainUnavailable: There was no usable answer.
        RpcError: The node returned an error for its newest block.
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
    """Distinguish a node that never has a finalized block from one that has none yet.

    Both answer alike: null, or an error with the client's own text (geth's "finalized block not found", Besu's "Unknown
    block"). The blocks tell them apart: only under proof of stake is the difficulty 0 (EIP-3675). A client that does
    not know the tag calls the parameter invalid.
    """
    if isinstance(answer, dict):
        return FinalizedTag.OFFERED
    is_unknown = isinstance(answer, RpcError) and answer.code == INVALID_PARAMS
    try:
        is_proof_of_stake = int(latest["difficulty"], 16) == 0
    except (KeyError, TypeError, ValueError):
        is_proof_of_stake = False
    return FinalizedTag.NOT_YET if is_proof_of_stake and not is_unknown else FinalizedTag.ABSENT
