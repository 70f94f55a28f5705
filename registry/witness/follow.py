"""Following a chain by parent hashes: every header's hash is recomputed, and final blocks are never exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.base.errors import InvalidInput
from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, ChainUnavailable, RpcError
from registry.chain.finality import FinalityRule
from registry.ethereum.header import Header, encode_header
from registry.notes.checkpoint import Checkpoint

HEADERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Fork:
    """The node has another block than the one followed.

    Args:
        ours: The block that was followed.
        theirs: What the node has at that height now.
    """

    ours: Checkpoint
    theirs: Checkpoint


def extend(tip: Checkpoint, headers: Sequence[Header]) -> list[Checkpoint] | Fork:
    """The blocks that follow a block by parent hash.

    Args:
        tip: The block.
        headers: What a node has behind it, one height after the other.

    Returns:
        As many as are linked; or the fork, where not even the first one is.
    """
    followed: list[Checkpoint] = []
    last = tip
    for header in headers:
        if header.number != last.height + 1:
            break
        if header.parent_hash != last.block_hash:
            # Between two headers of one answer the node may have changed its mind: asked again, it says what it means.
            return followed or Fork(tip, Checkpoint(tip.chain_id, tip.height, header.parent_hash))
        last = Checkpoint(tip.chain_id, header.number, header.hash)
        followed.append(last)
    return followed


def final_header(chain: Chain, finality: FinalityRule) -> Header:
    """Return the newest final block.

    Raises:
        ChainUnavailable: No usable answer came, or no block is final yet.
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
            hint="Where the chain's consensus finalizes nothing, give a number of blocks instead: --finality 12.",
        ) from error
    if newest is None:
        raise ChainUnavailable("The node has no final block yet.")
    if depth is None or depth == 0 or newest.number == 0:
        return newest
    (found,) = headers_at(chain, [max(0, newest.number - depth)])
    if found is None:
        raise ChainUnavailable("The node does not have a block below its newest one.")
    return found


def headers_at(chain: Chain, heights: Sequence[int]) -> list[Header | None]:
    """The headers at some heights; None where the node has no block.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    answers = chain.batch([("eth_getBlockByNumber", [hex(height), False]) for height in heights])
    found = []
    for height, answer in zip(heights, answers, strict=True):
        if isinstance(answer, RpcError):
            raise answer
        header = _header(answer)
        if header is not None and header.number != height:
            raise ChainUnavailable(f"The node gave block {header.number} for height {height}.")
        found.append(header)
    return found


def _header(answer: Any) -> Header | None:
    if answer is None:
        return None
    try:
        return Header.decode(encode_header(answer))
    except (TypeError, KeyError, ValueError, InvalidInput) as error:
        raise ChainUnavailable(f"The node gave a header that cannot be used: {error}") from error
