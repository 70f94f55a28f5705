"""Follow a chain by parent hashes. Every header's hash is recomputed, and final blocks are never replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, ChainUnavailable, RpcError, decoding
from registry.chain.finality import FinalityRule
from registry.ethereum.header import Header, encode_header
from registry.notes.checkpoint import Checkpoint

HEADERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Fork:
    """A contradiction: the node has another block than the one followed.

    Args:
        ours: The block that was followed.
        theirs: The node's present block at that height.
    """

    ours: Checkpoint
    theirs: Checkpoint


def extend(tip: Checkpoint, headers: Sequence[Header]) -> list[Checkpoint] | Fork:
    """Return the blocks that follow a block by parent hash.

    Args:
        tip: The block.
        headers: The node's next headers, ascending by height.

    Returns:
        The blocks that are linked; or the fork, where the first header is not linked.
    """
    followed: list[Checkpoint] = []
    last = tip
    for header in headers:
        if header.number != last.height + 1:
            break
        if header.parent_hash != last.block_hash:
            # The node may reorganise between two headers of one answer. The next call shows its final state.
            return followed or Fork(tip, Checkpoint(tip.chain_id, tip.height, header.parent_hash))
        last = Checkpoint(tip.chain_id, header.number, header.hash)
        followed.append(last)
    return followed


def final_header(chain: Chain, finality: FinalityRule) -> Header:
    """Return the newest final block.

    Raises:
        ChainUnavailable: There was no usable answer, or no block is final yet.
        RpcError: The node refused.
    """
    depth = finality.depth(chain)
    try:
        newest = _header(chain.request("eth_getBlockByNumber", [FINALIZED if depth is None else "latest", False]))
    except RpcError as error:
        if depth is not None:
            raise
        raise ChainUnavailable(
            f"The node has no finalized block: {error.message}.",
            hint="If the chain's consensus finalizes no blocks, give a number of blocks instead: --finality 12.",
        ) from error
    if newest is None:
        raise ChainUnavailable("The node has no final block yet.")
    if depth is None or depth == 0 or newest.number == 0:
        return newest
    (header,) = headers_at(chain, [max(0, newest.number - depth)])
    if header is None:
        raise ChainUnavailable("The node does not have a block below its newest one.")
    return header


def headers_at(chain: Chain, heights: Sequence[int]) -> list[Header | None]:
    """Return the headers at some heights; None where the node has no block.

    Raises:
        ChainUnavailable: There was no usable answer.
        RpcError: The node refused.
    """
    answers = chain.batch([("eth_getBlockByNumber", [hex(height), False]) for height in heights])
    headers = []
    for height, answer in zip(heights, answers, strict=True):
        if isinstance(answer, RpcError):
            raise answer
        header = _header(answer)
        if header is not None and header.number != height:
            raise ChainUnavailable(f"The node returned block {header.number} for height {height}.")
        headers.append(header)
    return headers


def _header(answer: Any) -> Header | None:
    if answer is None:
        return None
    with decoding("The node returned an invalid header, or its chain does not hash blocks as Ethereum does."):
        return Header.decode(encode_header(answer))
