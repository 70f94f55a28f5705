"""Measure a node, and report its problems."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from registry.base.errors import RegistryError, Unavailable
from registry.base.primitives import ZERO_ADDRESS
from registry.checkpoints.store import CheckpointStore
from registry.index.state import find_cursor
from registry.index.sync import Indexer
from registry.metrics import NodeFigures
from registry.node.assembly import NodeParts
from registry.node.worker import Worker
from registry.relay.relayer import Relayer
from registry.relay.status import relay_status

FIGURES_SECONDS: Final = 1.0
TOLERATED_LAG: Final = 64
"""The most blocks by which the index of a ready node may be behind."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Monitor:
    """A monitor of a node. May be used from any thread.

    Args:
        parts: The parts of the node.
        workers: Its workers.
        relayer: Its relayer, or None.
        indexer: Its indexer, or None.
    """

    parts: NodeParts
    workers: Sequence[Worker]
    relayer: Relayer | None
    indexer: Indexer | None
    _figures: NodeFigures = field(default_factory=NodeFigures)
    _measured_at: float = -FIGURES_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def figures(self) -> NodeFigures:
        """Return measurements that are at most about a second old. Never waits for another thread that is measuring."""
        if time.monotonic() - self._measured_at > FIGURES_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._figures = self._measure()
                self._measured_at = time.monotonic()
            finally:
                self._lock.release()
        return self._figures

    def problems(self, figures: NodeFigures) -> list[str]:
        """Return the problems as sentences."""
        problems = [worker.fault for worker in self.workers if worker.fault]
        if figures.chain_block is None:
            problems.append("The chain cannot be reached.")
        if not figures.is_database_up:
            problems.append("The database cannot be used.")
        elif figures.index_block is None:
            problems.append("The index has not begun.")
        elif figures.chain_block is not None and figures.chain_block - figures.index_block > TOLERATED_LAG:
            problems.append(f"The index is {figures.chain_block - figures.index_block} blocks behind the chain.")
        if self.relayer is not None and self.relayer.shortage is not None:
            problems.append(str(self.relayer.shortage))
        if figures.is_bound_broken:
            problems.append(f"A write has waited longer than {self.parts.settings.bound_seconds:g} s to be mined.")
        return problems

    def _measure(self) -> NodeFigures:
        height, balance = self._ask_chain()
        parts, indexer = self.parts, self.indexer
        figures = NodeFigures(
            bound_seconds=parts.settings.bound_seconds,
            chain_block=height,
            relayer_balance_wei=balance,
            reorgs=None if indexer is None else indexer.status.reorgs,
            restarts={worker.name: worker.restarts for worker in self.workers},
            rpc_faults=dict(parts.faults),
        )
        try:
            relay = relay_status(parts.storage, parts.relayer, parts.clock(), parts.settings.bound_seconds)
            with parts.storage.read() as connection:
                cursor = find_cursor(connection)
            checkpoints = CheckpointStore(parts.storage)
            newest, alarms = checkpoints.newest(), checkpoints.count_alarms()
        except Unavailable:
            return figures
        return replace(
            figures,
            is_database_up=True,
            receipts={status.value: count for status, count in relay.receipts.items()},
            in_flight=relay.in_flight,
            replacements=relay.replacements,
            oldest_unmined_seconds=relay.oldest_unmined_seconds,
            is_bound_broken=relay.is_bound_broken,
            index_block=None if cursor is None else cursor.height,
            final_block=None if cursor is None else cursor.final_height,
            checkpoint_block=None if newest is None else newest.height,
            checkpoint_cosignatures=None if newest is None else newest.cosignatures,
            checkpoint_alarms=alarms,
        )

    def _ask_chain(self) -> tuple[int | None, int | None]:
        """Return the chain's height and the relayer's balance in wei; None without an answer."""
        try:
            height, balance = self.parts.chain.batch(
                [("eth_blockNumber", []), ("eth_getBalance", [str(self.parts.relayer), "latest"])]
            )
        except RegistryError as error:
            log.warning("the chain does not answer", reason=str(error))
            return None, None
        return _quantity(height), None if self.parts.relayer == ZERO_ADDRESS else _quantity(balance)


def _quantity(answer: object) -> int | None:
    return int(answer, 16) if isinstance(answer, str) else None
