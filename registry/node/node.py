"""A node: its workers, and the functions that its gateway uses."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version
from types import TracebackType
from typing import Self

import structlog
from prometheus_client import CollectorRegistry

from registry.base.primitives import ZERO_ADDRESS, Address
from registry.chain.clock import ChainClock
from registry.config import Settings
from registry.devchain.embedded import EmbeddedChain
from registry.index.queries import IndexQueries
from registry.index.sync import Indexer
from registry.metrics import NodeFigures, NodeMetrics
from registry.node.assembly import NodeParts, holder, open_notary, open_parts, relay_settings, relay_terms
from registry.node.health import Health
from registry.node.monitor import Monitor
from registry.node.role import Role
from registry.node.timers import TimerWorker
from registry.node.worker import Worker
from registry.relay.lease import latest_relayer
from registry.relay.receiver import MessageReceiver
from registry.relay.relayer import Relayer
from registry.rooms.catalogue import ROOMS
from registry.rooms.room import Rooms

log = structlog.get_logger(__name__)


class Node:
    """An open node that is not started. Close it in the end, or use it in a `with` statement.

    Args:
        parts: Its parts.

    Attributes:
        settings: The settings.
        role: The part of a node that this process is.
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        rooms: The rooms.
        relayer: The relaying account; zero if this process does not have a key.
        clock: Returns the Unix time in seconds.
        finality: When a block is final.
        index: The queries over the state of the index.
        reads: The reader of each room's tables, by the room's name.
        terms: The terms on which messages are relayed; None if gas is free.
        receiver: The receiver of messages.
        metrics: All measurements.
        is_stopping: Whether it is stopping, so that waits should end.
    """

    def __init__(self, parts: NodeParts) -> None:
        self._parts = parts
        self.settings, self.role, self.clock = parts.settings, parts.role, parts.clock
        self.chain, self.storage, self.deployment = parts.chain, parts.storage, parts.deployment
        self.rooms, self.finality, self.relayer = parts.rooms, parts.finality, parts.relayer
        self.is_stopping = False
        self.index = IndexQueries(parts.storage)
        self.reads = {room.name: room.reads(parts.storage) for room in parts.rooms.rooms if room.reads is not None}
        self.terms = relay_terms(parts.settings, parts.chain, parts.storage, parts.rooms)
        self.receiver = MessageReceiver(
            parts.chain, parts.storage, parts.deployment, parts.rooms, self.sender, parts.clock, self.terms
        )
        self._chain_clock = ChainClock(parts.chain, parts.clock)
        self._relayer, self._indexer = _relayer(parts), _indexer(parts)
        self._workers = _workers(parts, self._relayer, self._indexer)
        self._monitor = Monitor(parts, self._workers, self._relayer, self._indexer)
        self.metrics = CollectorRegistry()
        self.metrics.register(NodeMetrics(self.figures))

    @classmethod
    def open(
        cls,
        settings: Settings,
        role: Role = Role.ALL,
        rooms: Rooms = ROOMS,
        *,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open the data folder, the chain and the database, and ensure that the contracts are deployed.

        Args:
            settings: The settings.
            role: The part of a node that this process is.
            rooms: The rooms that it serves.
            clock: Returns the Unix time in seconds.

        Raises:
            Conflict: Another node uses the folder, or folder, database, chain and contracts do not belong together.
            InvalidInput: A setting cannot be used.
            Unavailable: The chain or the database cannot be reached.
        """
        return cls(open_parts(settings, role, rooms, clock))

    def start(self) -> None:
        """Start the workers."""
        for worker in self._workers:
            worker.start()
        log.info(
            "node started",
            role=self.role.value,
            chain_id=self.deployment.chain_id,
            contracts={name: str(address) for name, address in self.deployment.addresses.items()},
            relayer=str(self.relayer),
        )

    def close(self) -> None:
        """Stop the workers after their current step, and close everything."""
        self.is_stopping = True
        for worker in self._workers:
            worker.stop()
        self.wake()
        for worker in self._workers:
            worker.join()
        for reads in self.reads.values():
            reads.close()
        self._parts.resources.close()
        log.info("node stopped")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wake(self) -> None:
        """Wake the relayer before its next poll."""
        if self._relayer is not None:
            self._relayer.wake()

    def chain_time(self) -> int | None:
        """Return the approximate timestamp of the next block, Unix seconds; None if it is not known."""
        if isinstance(self.chain, EmbeddedChain):
            return self.chain.now()
        return self._chain_clock.now()

    def sender(self) -> Address:
        """Return the account that will send accepted messages: that of this process, or the one whose key is leased.

        Raises:
            Unavailable: The database cannot be used.
        """
        if self.relayer != ZERO_ADDRESS:
            return self.relayer
        return latest_relayer(self.storage) or ZERO_ADDRESS

    def figures(self) -> NodeFigures:
        """Return measurements that are at most about a second old."""
        return self._monitor.figures()

    def health(self) -> Health:
        """Return its health."""
        figures = self.figures()
        return Health(
            figures=figures,
            problems=tuple(self._monitor.problems(figures)),
            deployment=self.deployment,
            relayer=None if self.relayer == ZERO_ADDRESS else self.relayer,
            finality=self.finality.to_json(),
            bound_seconds=self.settings.bound_seconds,
            version=version("trusted-data-registry"),
            time=self.clock(),
        )


def _relayer(parts: NodeParts) -> Relayer | None:
    if Role.RELAYER not in parts.role.parts or parts.signer is None:
        return None
    return Relayer(
        parts.chain,
        parts.storage,
        parts.signer,
        parts.deployment,
        relay_settings(parts.settings, parts.finality),
        protocols=parts.rooms.protocols,
        holder=holder(parts.settings),
        clock=parts.clock,
    )


def _indexer(parts: NodeParts) -> Indexer | None:
    if Role.INDEXER not in parts.role.parts:
        return None
    return Indexer(parts.chain, parts.storage, parts.deployment, parts.rooms, finality=parts.finality)


def _workers(parts: NodeParts, relayer: Relayer | None, indexer: Indexer | None) -> list[Worker]:
    workers: list[Worker] = []
    if relayer is not None:
        workers.append(Worker("relayer", relayer.run))
    if indexer is not None:
        interval = parts.settings.poll_seconds
        workers.append(Worker("indexer", lambda stop: indexer.run(stop, interval=interval)))
        timers = TimerWorker(parts.storage, parts.rooms, lambda: indexer.status.lag > 0, parts.clock, interval)
        workers.append(Worker("timers", timers.run))
        notary = open_notary(parts.settings, parts.chain, parts.storage, parts.deployment, parts.clock)
        workers.append(Worker("notary", notary.run))
    return workers
