"""Put the parts of a node together: data folder, key, chain, database, contracts, and the terms of the relay."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import structlog

from registry.base.errors import Conflict, InvalidInput, RegistryError, Unavailable
from registry.base.primitives import ZERO_ADDRESS, Address
from registry.chain.capabilities import detect
from registry.chain.client import Chain, ChainIdentity
from registry.chain.finality import FinalityRule
from registry.chain.rpc import RpcChain
from registry.checkpoints.notary import Notary
from registry.checkpoints.witnesses import WitnessAddress
from registry.config import Settings
from registry.devchain.embedded import EmbeddedChain
from registry.keys.notes import create_note_key, load_note_key
from registry.node.key import create_relayer, load_relayer
from registry.node.lock import FolderLock
from registry.node.role import Role
from registry.notes.note import KeyKind
from registry.relay.budgets import GasBudgets
from registry.relay.deploy import bound_identity, ensure_deployed, read_deployment
from registry.relay.fees import GWEI
from registry.relay.settings import RelaySettings
from registry.relay.signing import Signer
from registry.relay.terms import Price, Terms
from registry.rooms.catalogue import ROOMS
from registry.rooms.deployment import Deployment
from registry.rooms.room import Rooms
from registry.storage import Storage, create_tables_of_others, migrate, open_storage

DEPLOYMENT_SECONDS: Final = 120.0
CHECKPOINT_KEY_NAME: Final = "tdr-node-"
"""The prefix of the name of the key that signs checkpoints; eight digits of the key follow."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NodeParts:
    """The parts of a node.

    Args:
        settings: The settings.
        role: The part of a node that this process is.
        chain: The chain.
        storage: The database, migrated.
        deployment: The contracts.
        signer: The relayer's key; None if this process does not have one.
        rooms: The rooms.
        finality: When a block is final.
        clock: Returns the Unix time in seconds.
        faults: The number of failures of the chain's endpoints, by kind.
        resources: The resources to close with the node.
    """

    settings: Settings
    role: Role
    chain: Chain
    storage: Storage
    deployment: Deployment
    signer: Signer | None
    rooms: Rooms = ROOMS
    finality: FinalityRule = field(default_factory=lambda: FinalityRule("auto"))
    clock: Callable[[], float] = time.time
    faults: Counter[str] = field(default_factory=Counter)
    resources: ExitStack = field(default_factory=ExitStack)

    @property
    def relayer(self) -> Address:
        """The account of the relayer's key; zero if this process does not have one."""
        return ZERO_ADDRESS if self.signer is None else self.signer.address


def open_parts(settings: Settings, role: Role, rooms: Rooms, clock: Callable[[], float]) -> NodeParts:
    """Open the data folder, the chain and the database, and ensure that the contracts are deployed.

    Raises:
        Conflict: Another node uses the folder, or folder, database, chain and contracts do not belong together.
        InvalidInput: A setting cannot be used.
        Unavailable: The chain or the database cannot be reached.
    """
    if role is not Role.ALL and not settings.rpc_urls:
        raise InvalidInput(
            f"A separate {role} needs a chain that other processes can reach too.",
            hint="Give its endpoints with --rpc, or start a whole node with: tdr up",
        )
    with ExitStack() as resources:
        # Gateways do not use the folder, so their number is limited only by the database.
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
        _log_capabilities(chain, finality)
        deployment = _deployment(settings, chain, storage, rooms, signer, finality, clock)
        return NodeParts(
            settings, role, chain, storage, deployment, signer, rooms, finality, clock, faults, resources.pop_all()
        )


def _log_capabilities(chain: Chain, finality: FinalityRule) -> None:
    """Log the capabilities of the chain's node, and return the rule by which blocks are final."""
    try:
        offered = detect(chain)
    except RegistryError as error:
        log.warning("the capabilities of the chain's node are not known yet", reason=str(error))
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


def relay_terms(settings: Settings, chain: Chain, storage: Storage, rooms: Rooms) -> Terms | None:
    """Return the terms on which gas is spent on a network; None on the embedded chain, whose ether has no value."""
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


def open_notary(
    settings: Settings, chain: Chain, storage: Storage, deployment: Deployment, clock: Callable[[], float]
) -> Notary:
    """Return the notary that signs checkpoints with the node's key, which is created if it does not exist."""
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
    """Return the name under which this process leases the relayer's key: that of its locked data folder."""
    return f"{socket.gethostname()}:{settings.data.resolve()}"[:255]


def _signer(settings: Settings, role: Role) -> Signer | None:
    path = settings.key_file
    if Role.RELAYER not in role.parts:
        return None
    if path.exists():
        return load_relayer(path, settings.relayer_password_file)
    if settings.relayer_key_file is not None:
        raise InvalidInput(f"There is no relayer's key at {path}.", hint="Put it there, or remove the setting.")
    if settings.chain_folder.exists() and not settings.rpc_urls:
        raise Conflict(
            f"The chain in {settings.chain_folder} belongs to a relayer's key that is not at {path}.",
            hint="Restore the key from a backup, or choose another data folder.",
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
        # Reads do not need the chain, and the workers check the contracts when it is available again.
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
            raise Unavailable("No relayer has deployed the contracts yet.", hint="Start one: tdr relayer")
        time.sleep(0.5)
