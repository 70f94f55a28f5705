"""Keep the index at the head of the canonical chain.

One step: ask the node for its head and for the block at the index's height. If the index's block is no longer on the
chain, go back to the last one that is. Otherwise read a span of blocks that follow it, and write their events and the
new block of the index in one transaction. At any moment, the index is therefore the fold of the events up to one block,
even after a crash.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from registry.base.errors import Conflict, Unavailable
from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, ChainUnavailable, RpcError, WrongChain, identity_of
from registry.chain.finality import Finality, FinalityRule
from registry.index.adopt import Adoption
from registry.index.ahead import ReadAhead
from registry.index.apply import apply, rewind
from registry.index.blocks import Block, BlockReader, without_code
from registry.index.garbage import spared_collector
from registry.index.state import (
    Cursor,
    begin,
    find_cursor,
    keep_blocks,
    lock_cursor,
    lock_if_at,
    require_deployment,
    write_cursor,
)
from registry.index.tables import BLOCKS
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent
from registry.rooms.room import Rooms
from registry.storage import Storage

KEPT_BLOCKS: Final = 256
"""How many of the last blocks are stored. After a deeper reorganisation the index is rebuilt."""
DEFAULT_FINALITY: Final = 64

log = logging.getLogger(__name__)


@dataclass(slots=True)
class IndexStatus:
    """Figures for people and monitors; written by the indexer's thread, read by any.

    Attributes:
        height: The height of the index's block; -1 before the first step.
        chain_height: The height of the node's head, when it was last asked.
        final_height: Blocks up to this height are never reverted.
        reorgs: How often the index went back since the start of the process.
        deepest_reorg: The most blocks by which it went back at once.
        rebuilds: How often it was rebuilt.
        faults: How many steps failed.
        last_fault: The reason of the latest failure; empty after a success.
    """

    height: int = -1
    chain_height: int = -1
    final_height: int = -1
    reorgs: int = 0
    deepest_reorg: int = 0
    rebuilds: int = 0
    faults: int = 0
    last_fault: str = ""

    @property
    def lag(self) -> int:
        """How many blocks the index is behind the node."""
        return max(0, self.chain_height - self.height)


class Indexer:
    """Follow a chain.

    Args:
        chain: The chain.
        storage: The database, migrated.
        deployment: The contracts whose events are indexed.
        rooms: The rooms that these contracts belong to.
        finality: When a block is final.
    """

    def __init__(
        self,
        chain: Chain,
        storage: Storage,
        deployment: Deployment,
        rooms: Rooms,
        *,
        finality: Finality | FinalityRule = DEFAULT_FINALITY,
    ) -> None:
        self.status = IndexStatus()
        self._chain = chain
        self._storage = storage
        self._deployment = deployment
        self._rooms = rooms
        self._projections = rooms.projections
        self._finality = FinalityRule.of(finality)
        self._reader = BlockReader(chain, deployment, rooms)
        self._ahead = ReadAhead(self._reader)
        self._tagged: Block | None = None
        self._adoption: Adoption | None = None
        self._is_checked = False

    def check_deployment(self) -> None:
        """Check that the chain and the database are those of the deployment. The first step does this too.

        Raises:
            WrongChain: The node serves another chain.
            Conflict: The contracts are not there, or the database holds another deployment's index.
            Unavailable: The node or the database cannot be reached, or the node has not come as far as the deployment.
        """
        found = identity_of(self._chain)
        if (found.chain_id, found.genesis_hash) != (self._deployment.chain_id, self._deployment.genesis_hash):
            raise WrongChain(
                f"The node serves {found}, but the contracts are on chain {self._deployment.chain_id} with genesis "
                f"{self._deployment.genesis_hash}.",
                hint="Correct the endpoint, or use the database that belongs to its chain.",
            )
        missing = without_code(self._chain, tuple(self._deployment.addresses.values()))
        if missing:
            head = self._reader.block("latest")
            if head is None or head.number < self._deployment.block_number:
                raise ChainUnavailable("The node has not come as far as the block of the deployment.")
            raise Conflict(
                f"There is no contract at {', '.join(map(str, missing))} on {found}.",
                hint="Check the contracts' addresses.",
            )
        with self._storage.read() as connection:
            missing_contracts = require_deployment(connection, self._deployment)
        if missing_contracts:
            log.info("the index adds the events of new contracts: %s", ", ".join(missing_contracts))
            self._adoption = Adoption(self._chain, self._storage, self._deployment, missing_contracts, self._rooms)
        self._is_checked = True

    def step(self) -> bool:
        """Do one step.

        Returns:
            Whether the next step may find more to do at once.

        Raises:
            Unavailable: The node or the database cannot be reached; nothing has changed.
            RpcError: The node refused; nothing has changed.
            Conflict: See `check_deployment`.
            RegistryError: The node returned impossible events; nothing has changed.
        """
        if not self._is_checked:
            self.check_deployment()
        with self._storage.read() as connection:
            cursor = find_cursor(connection)
            due = [
                projection.refresh
                for projection in self._projections
                if projection.refresh is not None and projection.refresh.is_due(connection)
            ]
        for refresh in due:
            with self._storage.write() as connection:
                lock_cursor(connection)
                refresh.run(connection)
        if cursor is None:
            return self._begin()
        depth = self._finality.depth(self._chain)
        head, here, tagged = self._look(cursor, depth)
        if head is None:
            raise ChainUnavailable("The node gave no latest block.")
        self._note(cursor, head.number)
        if here is None or here.hash != cursor.block_hash:
            # A node that has not come so far yet does not contradict; one that has another block there does.
            return self._go_back(cursor, min(head.number, cursor.height))
        if self._adoption is not None:
            more = self._adoption.step(cursor, self._anchor)
            if self._adoption.is_done:
                self._adoption = None
            return more
        with spared_collector():
            span = self._ahead.span(cursor.height, cursor.block_hash, head.number)
            latest = span.blocks[-1] if span.blocks else here
            final_height = _final_height(cursor, latest, tagged if depth is None else latest.number - depth)
            return self._advance(cursor, latest, final_height, span.blocks, span.events)

    def catch_up(self, progress: Callable[[int, int], None] | None = None, stop: threading.Event | None = None) -> None:
        """Do steps until the head is reached.

        Args:
            progress: Called with the height of the index and of the node.
            stop: Ends it early when set.
        """
        while self.step() and not (stop and stop.is_set()):
            if progress:
                progress(self.status.height, self.status.chain_height)

    def run(self, stop: threading.Event, *, interval: float = 0.5, longest_pause: float = 10.0) -> None:
        """Follow the chain until stopped. While node or database cannot be used, wait.

        Args:
            stop: Ends it when set, after the present step.
            interval: Seconds between two looks at a chain that has not moved.
            longest_pause: The longest pause after faults, seconds.

        Raises:
            Conflict: The node serves another chain, or the database holds the index of another one.
            RegistryError: The node returned impossible events.
        """
        pause = interval
        while not stop.is_set():
            try:
                more = self.step()
            except (Unavailable, RpcError) as error:
                self.status.faults += 1
                self.status.last_fault = str(error)
                log.warning("the index waits: %s", error)
                stop.wait(pause)
                pause = min(2 * pause, longest_pause)
                continue
            self.status.last_fault = ""
            pause = interval
            if not more:
                stop.wait(interval)

    def start_over(self) -> None:
        """Empty the index. The next steps build it again from the chain.

        Raises:
            Unavailable: The node or the database cannot be reached; nothing has changed.
        """
        anchor = self._anchor()
        with self._storage.write() as connection:
            lock_cursor(connection)
            begin(connection, self._deployment, self._projections, anchor)
        self._note(anchor, self.status.chain_height)

    def _begin(self) -> bool:
        anchor = self._anchor()
        with self._storage.write() as connection:
            if lock_cursor(connection) is None:
                begin(connection, self._deployment, self._projections, anchor)
        return True

    def _anchor(self) -> Cursor:
        """Return the block before the first event. Block 0 has no events, because it has no transactions."""
        block = self._reader.block(max(self._deployment.block_number - 1, 0))
        if block is None:
            raise ChainUnavailable("The node has not come as far as the block of the deployment.")
        return Cursor(block.number, block.hash, block.timestamp, 0)

    def _advance(
        self,
        cursor: Cursor,
        latest: Block,
        final_height: int,
        blocks: tuple[Block, ...],
        events: tuple[IndexedEvent, ...],
    ) -> bool:
        moved = Cursor(latest.number, latest.hash, latest.timestamp, final_height)
        if moved == cursor:
            return False
        oldest = latest.number - KEPT_BLOCKS
        with self._storage.write() as connection:
            if not lock_if_at(connection, cursor, self._deployment):
                return True  # Another indexer was faster.
            apply(connection, self._projections, events, above=cursor.height, height=moved.height)
            keep_blocks(
                connection,
                [(block.number, block.hash, block.timestamp) for block in blocks if block.number >= oldest],
                oldest=oldest,
            )
            write_cursor(connection, moved)
        self._note(moved, self.status.chain_height)
        return latest.number < self.status.chain_height and bool(blocks)

    def _go_back(self, cursor: Cursor, highest: int) -> bool:
        with self._storage.read() as connection:
            known = connection.execute(
                select(BLOCKS.c.number, BLOCKS.c.block_hash, BLOCKS.c.timestamp)
                .where(BLOCKS.c.number <= highest)
                .order_by(BLOCKS.c.number.desc())
            ).all()
        now = self._reader.blocks([row.number for row in known])
        if not known or None in now:
            return False  # The node lags far behind, or the chain is changing now.
        ancestor = next(
            (row for row, block in zip(known, now, strict=True) if block and block.hash == row.block_hash), None
        )
        if ancestor is None:
            return self._rebuild(cursor)
        if ancestor.number == highest:
            return False  # All that the node has agrees with the index: it lags.
        moved = Cursor(
            ancestor.number, ancestor.block_hash, ancestor.timestamp, min(cursor.final_height, ancestor.number)
        )
        with self._storage.write() as connection:
            if not lock_if_at(connection, cursor, self._deployment):
                return True  # Another indexer was faster.
            rewind(connection, self._projections, moved.height)
            write_cursor(connection, moved)
        if moved.height < cursor.final_height:
            log.error("the chain took back final blocks: from %s down to %s", cursor.final_height, moved.height + 1)
        self._count_reorg(cursor.height - moved.height)
        self._note(moved, self.status.chain_height)
        return True

    def _rebuild(self, cursor: Cursor) -> bool:
        log.error("the chain has changed below all blocks that the index has stored: it is rebuilt")
        anchor = self._anchor()
        with self._storage.write() as connection:
            if not lock_if_at(connection, cursor, self._deployment):
                return True
            begin(connection, self._deployment, self._projections, anchor)
        self._count_reorg(cursor.height - anchor.height)
        self.status.rebuilds += 1
        self._note(anchor, self.status.chain_height)
        return True

    def _look(self, cursor: Cursor, depth: int | None) -> tuple[Block | None, Block | None, int]:
        """Return the node's head, its block at the index's height, and the height that it tags as final; 0 for none.

        A final block stays final, but an answer may come from another node, or be old. Two requests, one by the tag
        and a later one by the height, must therefore return the same block.
        """
        if depth is not None:
            head, here = self._reader.blocks(("latest", cursor.height))
            return head, here, 0
        before = self._tagged
        head, here, self._tagged, again = self._reader.blocks(
            ("latest", cursor.height, FINALIZED, cursor.height if before is None else before.number)
        )
        return head, here, before.number if before is not None and again == before else 0

    def _count_reorg(self, depth: int) -> None:
        self.status.reorgs += 1
        self.status.deepest_reorg = max(self.status.deepest_reorg, depth)

    def _note(self, cursor: Cursor, chain_height: int) -> None:
        self.status.height = cursor.height
        self.status.final_height = cursor.final_height
        self.status.chain_height = chain_height


def _final_height(cursor: Cursor, latest: Block, reached: int) -> int:
    # Only blocks count that are linked to the index's own: a head or a tag that is merely told of does not.
    return max(cursor.final_height, min(reached, latest.number))
