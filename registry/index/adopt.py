"""Add the contracts of a newer version of the program to an index that is ahead of their first block.

Only the logs of these contracts are read, up to the index's block, one span with each step. They are added in one
transaction, and all other rows stay as they are. The blocks are linked from the one before the contracts' first block
to the index's block. If the recorded first block is too low, more headers are read, and the result is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from registry.chain.client import Chain, ChainUnavailable
from registry.index.apply import apply
from registry.index.blocks import SPAN_BLOCKS, Block, BlockReader
from registry.index.state import Cursor, add_contracts, begin, lock_cursor, require_deployment
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent
from registry.rooms.room import Rooms
from registry.storage import Storage

MOST_EVENTS: Final = 100_000
"""They are held in memory until all have been read."""

log = logging.getLogger(__name__)


class Adoption:
    """Read the events of contracts that are not in the index, up to its block, and add them.

    Args:
        chain: The chain; its identity has been checked.
        storage: The database of the index.
        deployment: All contracts.
        missing: The names of those that are not in the index.
        rooms: The rooms.
    """

    def __init__(
        self, chain: Chain, storage: Storage, deployment: Deployment, missing: Collection[str], rooms: Rooms
    ) -> None:
        lacking = replace(deployment, contracts={name: deployment.contracts[name] for name in missing})
        self.is_done = False
        self._storage = storage
        self._deployment = deployment
        self._projections = rooms.projections
        self._events: list[IndexedEvent] = []
        self._reader = BlockReader(chain, lacking, rooms)
        self._before = max(lacking.block_number - 1, 0)
        self._last: Block | None = None
        # A room's events are applied in order: if another of its contracts is in the index, these would be too late.
        names_by_room = [{contract.name for contract in room.protocol.contracts} for room in rooms.rooms]
        self._has_whole_rooms = all(names.isdisjoint(missing) or names <= set(missing) for names in names_by_room)

    def step(self, cursor: Cursor, anchor: Callable[[], Cursor]) -> bool:
        """Read one more span, or, once all has been read, add the contracts.

        Args:
            cursor: The index's block, which is on the chain.
            anchor: Return the block before the first event, from which the index is rebuilt if nothing can be added.

        Returns:
            Whether to go on at once.

        Raises:
            Unavailable: The node or the database gave no usable answer; the next step tries again.
            RpcError: The node refused.
            UndecodableLog: A contract cannot have made a log.
        """
        is_possible = self._is_possible(cursor)
        if is_possible and not self._is_complete(cursor):
            return self._read(cursor)
        start = cursor if is_possible else anchor()
        with self._storage.write() as connection:
            if lock_cursor(connection) != cursor:
                return True  # Another indexer was faster.
            missing = require_deployment(connection, self._deployment)
            if missing and is_possible:
                apply(connection, self._projections, self._events, above=cursor.height, height=cursor.height)
                add_contracts(connection, {name: contract.address for name, contract in missing.items()})
            elif missing:
                log.warning("the index is rebuilt, to add contracts")
                begin(connection, self._deployment, self._projections, start)
        self.is_done = True
        return True

    def _is_possible(self, cursor: Cursor) -> bool:
        """Return whether the events can be added to the index; otherwise it must be rebuilt."""
        is_early = self._before >= cursor.height
        return (is_early or self._has_whole_rooms) and len(self._events) <= MOST_EVENTS

    def _is_complete(self, cursor: Cursor) -> bool:
        """Return whether all events up to the index's block have been read, on the chain of this block."""
        if self._before >= cursor.height:
            return not self._events  # If the index went back behind them, they are of another branch.
        return self._last is not None and (self._last.number, self._last.hash) == (cursor.height, cursor.block_hash)

    def _read(self, cursor: Cursor) -> bool:
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
        self._events += span.events
        self._last = span.blocks[-1] if span.blocks else None
        if not span.blocks:
            self._events = []
        return bool(span.blocks) or not is_start
