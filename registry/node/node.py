"""Putting a node together, and taking it apart."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self

import structlog
from prometheus_client import CollectorRegistry

from registry.base.errors import Conflict, InvalidInput, RegistryError, Unavailable
from registry.base.primitives import ZERO_ADDRESS, Address
from registry.chain.capabilities import detect
from registry.chain.client import Chain, ChainIdentity
from registry.chain.clock import ChainClock
from registry.chain.finality import FinalityRule
from registry.chain.rpc import RpcChain
from registry.checkpoints.notary import Notary
from registry.checkpoints.store import CheckpointStore
from registry.checkpoints.witnesses import WitnessAddress
from registry.config import Settings
from registry.devchain.embedded import EmbeddedChain
from registry.index.queries import IndexQueries
from registry.index.state import find_cursor
from registry.index.sync import Indexer
from registry.keys.notes import create_note_key, load_note_key
from registry.metrics import NodeFigures, NodeMetrics
from registry.node.health import Health
from registry.node.key import create_relayer, load_relayer
from registry.node.lock import FolderLock
from registry.node.role import Role
from registry.node.worker import Worker
from registry.notes.note import KeyKind
from registry.relay.budgets import GasBudgets
from registry.relay.deploy import bound_identity, ensure_deployed, read_deployment
from registry.relay.fees import GWEI
from registry.relay.lease import latest_relayer
from registry.relay.receiver import MessageReceiver
from registry.relay.relayer import Relayer
from registry.relay.settings import RelaySettings
from registry.relay.signing import Signer
from registry.relay.status import relay_status
from registry.relay.terms import Price, Terms
from registry.rooms.catalogue import ROOMS
from registry.rooms.deployment import Deployment
from registry.rooms.room import Rooms
from registry.storage import Storage, create_tables_of_others, migrate, open_storage

FIGURES_SECONDS: Final = 1.0
DEPLOYMENT_SECONDS: Final = 120.0
CHECKPOINT_KEY_NAME: Final = "tdr-node-"
"""What the name of the key that signs checkpoints begins with; eight digits of the key follow."""
TOLERATED_LAG: Final = 64
"""Blocks that the index may be behind before the node says that it is not ready."""

log = structlog.get_logger(__name__)


class Node:
    """A node, opened but not started. Made by `open`; close it in the end, or use it in a `with` statement.

    Attributes:
        settings: What it was told.
        role: Which part of a node this process is.
        chain: The chain.
        storage: The database.
        deployment: The contracts.
        index: Reads the state of the index.
        reads: What each room reads its tables with, by the room's name.
        relayer: The relaying account; zero where this process has no key.
        rooms: The rooms.
        clock: Gives the Unix time in seconds.
        terms: On what terms messages are relayed; None: gas costs nothing.
        receiver: Accepts messages.
        finality: When a block is final.
        metrics: Everything that is measured.
        is_stopping: Whether it has been told to stop: whoever waits should come to an end.
    """

    def __init__(
        self,
        settings: Settings,
        role: Role,
        chain: Chain,
        storage: Storage,
        deployment: Deployment,
        signer: Signer | None,
        *,
        rpc_faults: Counter[str],
        finality: FinalityRule | None = None,
        clock: Callable[[], float] = time.time,
        rooms: Rooms = ROOMS,
    ) -> None:
        self.settings = settings
        self.rooms = rooms
        self.role = role
        self.chain = chain
        self.storage = storage
        self.deployment = deployment
        self.relayer: Address = ZERO_ADDRESS if signer is None else signer.address
        self.clock = clock
        self._chain_clock = ChainClock(chain, clock)
        self.finality = finality or FinalityRule(settings.finality)
        self.is_stopping = False
        self.index = IndexQueries(storage)
        self.reads = {room.name: room.reads(storage) for room in rooms.rooms if room.reads is not None}
        self.terms = _terms(settings, chain, storage, rooms)
        self.receiver = MessageReceiver(chain, storage, deployment, rooms, self.sender, clock, self.terms)
        self._resources = ExitStack()
        self._rpc_faults = rpc_faults
        self._workers: list[Worker] = []
        self._relayer: Relayer | None = None
        self._indexer: Indexer | None = None
        if Role.RELAYER in role.parts and signer is not None:
            self._relayer = Relayer(
                chain,
                storage,
                signer,
                deployment,
                relay_settings(settings, self.finality),
                protocols=rooms.protocols,
                holder=holder(settings),
                clock=clock,
            )
            self._workers.append(Worker("relayer", self._relayer.run))
        if Role.INDEXER in role.parts:
            indexer = Indexer(chain, storage, deployment, rooms, finality=self.finality)
            self._indexer = indexer
            self._workers.append(Worker("indexer", lambda stop: indexer.run(stop, interval=settings.poll_seconds)))
            self._workers.append(Worker("notary", _notary(settings, chain, storage, deployment, clock).run))
        self._figures = NodeFigures()
        self._figures_at = -FIGURES_SECONDS
        self._figures_lock = threading.Lock()
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
        """Opens the data folder, the chain and the database, and makes sure that the contracts are there.

        Args:
            settings: The settings.
            role: Which part of a node this process is.
            rooms: The rooms that it serves.
            clock: Gives the Unix time in seconds.

        Raises:
            Conflict: Another node uses the folder, or folder, database, chain and contracts do not belong together.
            InvalidInput: A setting cannot be used.
            Unavailable: The chain or the database cannot be reached.
        """
        if role is not Role.ALL and not settings.rpc_urls:
            raise InvalidInput(
                f"A {role} on its own needs a chain that other processes reach too.",
                hint="Name its endpoints with --rpc, or start a whole node with: tdr up",
            )
        with ExitStack() as resources:
            # Gateways keep nothing in the folder: there may be many of them, as far as the database bears them.
            alone = tuple(part for part in role.parts if part is not Role.GATEWAY)
            resources.enter_context(FolderLock(settings.data, alone))
            signer = _signer(settings, role)
            storage = open_storage(settings.database)
            resources.callback(storage.close)
            migrate(storage)
            create_tables_of_others(storage, rooms.tables)
            faults: Counter[str] = Counter()
            chain = _open_chain(settings, signer, bound_identity(storage), faults)
            resources.callback(chain.close)
            finality = FinalityRule(settings.finality)
            _say_what_is_offered(chain, finality)
            deployment = _deployment(settings, chain, storage, rooms, signer, finality, clock)
            node = cls(
                settings,
                role,
                chain,
                storage,
                deployment,
                signer,
                rpc_faults=faults,
                finality=finality,
                clock=clock,
                rooms=rooms,
            )
            node._resources = resources.pop_all()
        return node

    def start(self) -> None:
        """Starts the workers."""
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
        """Lets the workers finish the step they are at, and closes everything."""
        self.is_stopping = True
        for worker in self._workers:
            worker.stop()
        self.wake()
        for worker in self._workers:
            worker.join()
        for reads in self.reads.values():
            reads.close()
        self._resources.close()
        log.info("node stopped")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wake(self) -> None:
        """There is something to relay: do not wait for the next poll."""
        if self._relayer is not None:
            self._relayer.wake()

    def chain_time(self) -> int | None:
        """Return about what the next block's timestamp would be now, Unix seconds; None: it is not known."""
        if isinstance(self.chain, EmbeddedChain):
            return self.chain.now()
        return self._chain_clock.now()

    def sender(self) -> Address:
        """Return the account that will send what is accepted here: this process's, or the one whose key is in use.

        Raises:
            Unavailable: The database cannot be used.
        """
        if self.relayer != ZERO_ADDRESS:
            return self.relayer
        return latest_relayer(self.storage) or ZERO_ADDRESS

    def figures(self) -> NodeFigures:
        """What is measured now, or was a second ago. Never waits for somebody else who is measuring."""
        if time.monotonic() - self._figures_at > FIGURES_SECONDS and self._figures_lock.acquire(blocking=False):
            try:
                self._figures = self._measure()
                self._figures_at = time.monotonic()
            finally:
                self._figures_lock.release()
        return self._figures

    def health(self) -> Health:
        """How it is."""
        figures = self.figures()
        return Health(
            figures=figures,
            problems=tuple(self._problems(figures)),
            deployment=self.deployment,
            relayer=None if self.relayer == ZERO_ADDRESS else self.relayer,
            finality=self.finality.to_json(),
            bound_seconds=self.settings.bound_seconds,
            version=version("trusted-data-registry"),
            time=self.clock(),
        )

    def _measure(self) -> NodeFigures:
        height, balance = self._ask_chain()
        indexer = self._indexer
        figures = NodeFigures(
            bound_seconds=self.settings.bound_seconds,
            chain_block=height,
            relayer_balance_wei=balance,
            reorgs=None if indexer is None else indexer.status.reorgs,
            restarts={worker.name: worker.restarts for worker in self._workers},
            rpc_faults=dict(self._rpc_faults),
        )
        try:
            relay = relay_status(self.storage, self.relayer, self.clock(), self.settings.bound_seconds)
            with self.storage.read() as connection:
                cursor = find_cursor(connection)
            checkpoints = CheckpointStore(self.storage)
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
        """The chain's height and the relayer's balance in wei, as far as there is an answer."""
        try:
            height, balance = self.chain.batch(
                [("eth_blockNumber", []), ("eth_getBalance", [str(self.relayer), "latest"])]
            )
        except RegistryError as error:
            log.warning("the chain does not answer", reason=str(error))
            return None, None
        return _quantity(height), None if self.relayer == ZERO_ADDRESS else _quantity(balance)

    def _problems(self, now: NodeFigures) -> list[str]:
        problems = [worker.fault for worker in self._workers if worker.fault]
        if now.chain_block is None:
            problems.append("The chain cannot be reached.")
        if not now.is_database_up:
            problems.append("The database cannot be used.")
        elif now.index_block is None:
            problems.append("The index has not begun.")
        elif now.chain_block is not None and now.chain_block - now.index_block > TOLERATED_LAG:
            problems.append(f"The index is {now.chain_block - now.index_block} blocks behind the chain.")
        if self._relayer is not None and self._relayer.shortage is not None:
            problems.append(str(self._relayer.shortage))
        if now.is_bound_broken:
            problems.append(f"A write has waited longer than {self.settings.bound_seconds:g} s to be mined.")
        return problems


def _quantity(answer: object) -> int | None:
    return int(answer, 16) if isinstance(answer, str) else None


def _say_what_is_offered(chain: Chain, finality: FinalityRule) -> None:
    """Log what the chain's node offers, and decide by it when blocks are final."""
    try:
        offered = detect(chain)
    except RegistryError as error:
        log.warning("it is not known yet what the node offers", reason=str(error))
        return
    finality.decide(offered)
    if not offered.proofs:
        log.warning("the node has no eth_getProof: evidence cannot be exported through it", client=offered.client)
    if not offered.block_receipts:
        log.warning("the node has no eth_getBlockReceipts: times cannot be proven through it", client=offered.client)


def relay_settings(settings: Settings, finality: FinalityRule | None = None) -> RelaySettings:
    """Return the relayer's part of the settings."""
    return RelaySettings(
        finality=finality or settings.finality,
        bound_seconds=settings.bound_seconds,
        lease_seconds=settings.lease_seconds,
        poll_seconds=settings.poll_seconds,
        maximum_fee=_maximum_fee(settings),
    )


def _maximum_fee(settings: Settings) -> int:
    return int(settings.max_fee_gwei * GWEI)


def _terms(settings: Settings, chain: Chain, storage: Storage, rooms: Rooms) -> Terms | None:
    """Return the terms on which a network's gas is spent; None on the embedded chain, whose ether is worth nothing."""
    if not settings.rpc_urls:
        return None
    return Terms(
        Price(chain, _maximum_fee(settings)),
        settings.contract_wallets,
        GasBudgets(
            total=settings.gas_per_hour,
            account=settings.gas_per_account,
            subject=settings.gas_per_dataset,
            newcomers=settings.gas_for_newcomers,
        ),
        lambda account, moment: any(owned.owns_since(storage, account, moment) for owned in rooms.ownerships),
    )


def _notary(
    settings: Settings, chain: Chain, storage: Storage, deployment: Deployment, clock: Callable[[], float]
) -> Notary:
    path = settings.checkpoint_key_file
    key = load_note_key(path) if path.exists() else create_note_key(path, KeyKind.NOTE, CHECKPOINT_KEY_NAME)
    return Notary(
        chain,
        storage,
        key,
        [WitnessAddress.parse(witness) for witness in settings.witnesses],
        chain_id=deployment.chain_id,
        interval=settings.checkpoint_seconds,
        clock=clock,
    )


def holder(settings: Settings) -> str:
    """Under which name this process leases the relayer's key: that of its data folder, which it has locked."""
    return f"{socket.gethostname()}:{settings.data.resolve()}"[:255]


def _signer(settings: Settings, role: Role) -> Signer | None:
    path = settings.key_file
    if Role.RELAYER not in role.parts:
        return None
    if path.exists():
        return load_relayer(path, settings.relayer_password_file)
    if settings.relayer_key_file is not None:
        raise InvalidInput(f"There is no relayer's key at {path}.", hint="Put it there, or leave the setting out.")
    if settings.chain_folder.exists() and not settings.rpc_urls:
        raise Conflict(
            f"The chain in {settings.chain_folder} belongs to a relayer's key that is not at {path}.",
            hint="Put the key back from a backup, or choose another data folder.",
        )
    return create_relayer(path)


def _open_chain(
    settings: Settings, signer: Signer | None, expected: ChainIdentity | None, faults: Counter[str]
) -> Chain:
    if not settings.rpc_urls:
        if signer is None:
            raise InvalidInput("The embedded chain needs the relayer's key.")
        return EmbeddedChain.open(settings.chain_folder, signer.address)

    def count(fault: str) -> None:
        faults[fault] += 1

    return RpcChain(settings.rpc_urls, expected=expected, timeout=settings.rpc_timeout_seconds, observe=count)


def _deployment(
    settings: Settings,
    chain: Chain,
    storage: Storage,
    rooms: Rooms,
    signer: Signer | None,
    finality: FinalityRule,
    clock: Callable[[], float],
) -> Deployment:
    if signer is None:
        return _deployment_by_others(storage, rooms, clock)
    try:
        return ensure_deployed(
            chain,
            storage,
            rooms,
            signer,
            relay_settings(settings, finality),
            holder=holder(settings),
            given=settings.contracts,
            clock=clock,
        )
    except Unavailable as error:
        known = read_deployment(storage, rooms.protocols)
        if known is None:
            raise
        # Reads need no chain, and the workers check the contracts as soon as it is back.
        log.warning("the contracts could not be checked at the start", reason=str(error))
        return known


def _deployment_by_others(storage: Storage, rooms: Rooms, clock: Callable[[], float]) -> Deployment:
    deadline = clock() + DEPLOYMENT_SECONDS
    is_told = False
    while True:
        deployment = read_deployment(storage, rooms.protocols)
        if deployment is not None:
            return deployment
        if not is_told:
            is_told = True
            log.warning("waiting for a relayer to record the contracts in this database", seconds=DEPLOYMENT_SECONDS)
        if clock() > deadline:
            raise Unavailable("No relayer has put the contracts on the chain yet.", hint="Start one: tdr relayer")
        time.sleep(0.5)
