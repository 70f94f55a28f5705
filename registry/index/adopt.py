"""Add the contracts of a newer version of the program to an index that is ahead of their first block.

Only the logs of these contracts are read, up to the index's block, one span with each step. They are added in one
transaction, and all other rows stay as they are. The blocks are linked from the one before the contracts' first block
to the index's block. If the recorded first block is too low, more headers are read, and the result is the same.
"""

from __future__ import annotations

from typing import Final

from registry.chain.client import Chain, ChainUnavailable
from registry.index.blocks import SPAN_BLOCKS, Block, BlockReader
from registry.index.state import Cursor
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent
from registry.rooms.room import Rooms

MOST_EVENTS: Final = 100_000
"""They are held in memory until all have been read."""


class Adoption:
    """Read the events of contracts that are not in the index, up to its block.

    Args:
        chain: The chain; its identity has been checked.
        deployment: The contracts that are not in the index.
        rooms: The rooms.
    """

    def __init__(self, chain: Chain, deployment: Deployment, rooms: Rooms) -> None:
        self.events: list[IndexedEvent] = []
        self._reader = BlockReader(chain, deployment, rooms)
        self._before = max(deployment.block_number - 1, 0)
        self._last: Block | None = None
        # A room's events are applied in order: if another of its contracts is in the index, these would be too late.
        self._has_whole_rooms = all(
            {contract.name for contract in room.protocol.contracts}.isdisjoint(deployment.contracts)
            or {contract.name for contract in room.protocol.contracts} <= set(deployment.contracts)
            for room in rooms.rooms
        )

    def is_possible(self, cursor: Cursor) -> bool:
        """Return whether the events can be added to the index; otherwise it must be rebuilt."""
        is_early = self._before >= cursor.height
        return (is_early or self._has_whole_rooms) and len(self.events) <= MOST_EVENTS

    def is_complete(self, cursor: Cursor) -> bool:
        """Return whether all events up to the index's block have been read, on the chain of this block."""
        if self._before >= cursor.height:
            return not self.events  # If the index went back behind them, they are of another branch.
        return self._last is not None and (self._last.number, self._last.hash) == (cursor.height, cursor.block_hash)

    def read(self, cursor: Cursor) -> bool:
        """Read one more span.

        Args:
            cursor: The index's block, which is on the chain.

        Returns:
            Whether to go on at once. If no block follows, the chain has changed, and reading starts again; if there is
            none even then, the node lags.

        Raises:
            ChainUnavailable: No usable answer came.
            RpcError: The node refused.
            UndecodableLog: A contract cannot have made a log.
        """
        is_start = self._last is None
        if self._last is None:
            self._last = self._reader.block(self._before)
        if self._last is None:
            raise ChainUnavailable("The node has not come as far as the block of the deployment.")
        last = min(self._last.number + SPAN_BLOCKS, cursor.height)
        span = self._reader.span(self._last.number, self._last.hash, last)
        self.events += span.events
        self._last = span.blocks[-1] if span.blocks else None
        if not span.blocks:
            self.events = []
        return bool(span.blocks) or not is_start
