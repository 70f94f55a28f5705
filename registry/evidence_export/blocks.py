"""Find the block that was the latest at a time."""

from __future__ import annotations

from registry.base.errors import NotFound
from registry.base.times import iso_time
from registry.chain.client import Chain
from registry.chain.history import BlockRef, block_at


def block_as_of(chain: Chain, time: int | None) -> BlockRef:
    """Return the latest block that is not later than a time.

    Args:
        chain: The chain.
        time: Unix seconds, UTC; None means the latest block.

    Raises:
        NotFound: The chain begins after that time.
        ChainUnavailable: No usable answer came.
    """
    found = block_at(chain)
    if time is None or found.timestamp <= time:
        return found
    low, high = block_at(chain, "0x0"), found
    if low.timestamp > time:
        raise NotFound(f"The chain begins at {iso_time(low.timestamp)}, after the requested time, {iso_time(time)}.")
    while high.number - low.number > 1:  # low is not later than the time, high is later
        middle = block_at(chain, hex((low.number + high.number) // 2))
        low, high = (middle, high) if middle.timestamp <= time else (low, middle)
    return low
