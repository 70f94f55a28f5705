"""Putting the contracts on a chain, once; and making sure that what is there is what was meant.

The intention (nonces, transactions, the addresses that follow from them) is in the database before anything is sent,
and the relayer brings it into blocks like everything else. Whatever crashes when, a database has one deployment.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, select, update

from registry.artifacts import Artifact, artifact
from registry.base.errors import Conflict, ContractRefused, Unavailable
from registry.base.primitives import Address
from registry.chain.calls import call_view, data_of, view_call
from registry.chain.client import Chain, ChainIdentity, ChainUnavailable, identity_of
from registry.chain.history import ask, block_at
from registry.ethereum.abi import left_padded
from registry.ethereum.eip712 import Domain
from registry.relay import ledger
from registry.relay.fees import Fees, Prices
from registry.relay.funding import FundingWatch
from registry.relay.lease import Lease, LeaseLost, take
from registry.relay.relayer import DEEPEST_REORGANISATION, Relayer, RelaySettings
from registry.relay.signing import Payload, Signer, created_address
from registry.relay.tables import DEPLOYMENT
from registry.rooms.deployment import Deployment
from registry.storage.engine import Storage
from registry.storage.insert import insert_if_new

REGISTRY, GRANTS = "DatasetRegistry", "AccessGrants"
CREATION_GAS = 600_000
DEPLOYED_BYTE_GAS = 200
CREATION_BYTE_GAS = 42
WAIT_SECONDS = 0.2
FUNDING_SECONDS = 1.0


def ensure_deployed(
    chain: Chain,
    storage: Storage,
    signer: Signer,
    settings: RelaySettings,
    *,
    holder: str,
    given: tuple[Address, Address] | None = None,
    timeout: float = 120.0,
    clock: Callable[[], float] = time.time,
) -> Deployment:
    """The contracts that belong to a database: those it has, those that are given, or new ones.

    May be called by several processes at once, again and again, and after any crash.

    Args:
        chain: The chain.
        storage: The database, migrated.
        signer: The key that deploys, which is the relayer's.
        settings: How to relay.
        holder: The relayer's name for its lease; see `Relayer`.
        given: The addresses of a DatasetRegistry and an AccessGrants that exist already.
        timeout: Seconds after which a deployment that is in no block counts as failed for now. For money it waits as
            long as it takes, and says so once.
        clock: Gives the Unix time in seconds.

    Raises:
        Conflict: The database belongs to another chain or to other contracts; or what is at the addresses is not ours.
        Unavailable: Chain or database cannot be used now, or the deployment is in no block yet.
        RpcError: The node refused.
    """
    identity = identity_of(chain)
    deployment = _bind(storage, identity, given)
    if deployment is not None and (given is not None or _is_there(chain, deployment)):
        verify_deployed(chain, deployment)
        return deployment
    if deployment is None:
        _await_funds(chain, storage, signer, identity, settings)
    deadline = clock() + timeout
    while True:
        lease = take(storage, signer.address, holder, settings.lease_seconds)
        if lease is not None:
            break
        deployment = read_deployment(storage)
        if deployment is not None and _is_there(chain, deployment):
            verify_deployed(chain, deployment)
            return deployment
        _wait(deadline, clock, "Another process is deploying the contracts and has not finished.")
    deployment = read_deployment(storage) or _intend(chain, lease, signer, identity, settings, clock)
    relayer = Relayer(chain, storage, signer, deployment, settings, holder=holder, clock=clock)
    try:
        while not _is_there(chain, deployment):
            try:
                relayer.step()
            except LeaseLost as error:
                raise Unavailable("Another relayer has taken over the key during the deployment.") from error
            if relayer.shortage is not None and relayer.shortage.is_stopped:
                deadline = clock() + timeout
            if not _is_there(chain, deployment):
                _wait(deadline, clock, "The contracts' deployment was sent, but is in no block yet.")
    finally:
        relayer.close()
    verify_deployed(chain, deployment)
    return deployment


def bound_identity(storage: Storage) -> ChainIdentity | None:
    """The chain that a database belongs to; None for a new one.

    What is opened with it expects this chain from the first answer on, and does not believe whoever answers first.

    Raises:
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        row = connection.execute(select(DEPLOYMENT.c.chain_id, DEPLOYMENT.c.genesis_hash)).one_or_none()
    return None if row is None else ChainIdentity(row.chain_id, row.genesis_hash)


def verify_deployed(chain: Chain, deployment: Deployment) -> None:
    """Makes sure that the code at the addresses is that of our contracts, made for each other and for this chain.

    Raises:
        Conflict: It is not.
        Unavailable: No usable answer came.
        RpcError: The node refused.
    """
    for name in (REGISTRY, GRANTS):
        address = deployment.address_of(name)
        if not artifact(name).is_code(_code(chain, address)):
            raise Conflict(
                f"The code at {address} is not that of {name} as this version knows it.",
                hint="Give the addresses of contracts that this version deployed, or none.",
            )
        domain = Domain(name, deployment.chain_id, address)
        if _view(chain, address, "domainSeparator()") != domain.separator():
            raise Conflict(f"The {name} at {address} was made for another chain.")
    grants, registry = deployment.address_of("AccessGrants"), deployment.address_of("DatasetRegistry")
    if _view(chain, grants, "REGISTRY()") != left_padded(registry):
        raise Conflict(
            f"The AccessGrants at {grants} belong to another registry than {registry}.",
            hint="Give the addresses of two contracts that belong together.",
        )


def _bind(storage: Storage, identity: ChainIdentity, given: tuple[Address, Address] | None) -> Deployment | None:
    """Ties the database to the chain, and to the contracts given."""
    with storage.write() as connection:
        connection.execute(
            insert_if_new(connection, DEPLOYMENT).values(
                id=1, chain_id=identity.chain_id, genesis_hash=identity.genesis_hash
            )
        )
        row = connection.execute(select(DEPLOYMENT)).one()
        if (row.chain_id, row.genesis_hash) != (identity.chain_id, identity.genesis_hash):
            known = ChainIdentity(row.chain_id, row.genesis_hash)
            raise Conflict(
                f"The database {storage.name} belongs to {known}, but the node serves {identity}.",
                hint="Use the chain it was made for, or another database.",
            )
        present = _read(connection)
        if given is None:
            return present
        if present is not None and tuple(present.addresses.values()) != given:
            raise Conflict(
                f"The database {storage.name} belongs to the contracts"
                f" {' and '.join(map(str, present.addresses.values()))}, but {given[0]} and {given[1]} are given.",
                hint="Leave the addresses out, or use another database.",
            )
        if present is None:
            _write(connection, *given, block_number=0)
        return _read(connection)


def _intend(
    chain: Chain,
    lease: Lease,
    signer: Signer,
    identity: ChainIdentity,
    settings: RelaySettings,
    clock: Callable[[], float],
) -> Deployment:
    used = int(chain.request("eth_getTransactionCount", [str(signer.address), "latest"]), 16)
    _, fees = _balance_and_fees(chain, signer, settings)
    lowest = max(0, block_at(chain).number - DEEPEST_REORGANISATION)
    with lease.write() as connection:
        nonce = max(ledger.next_nonce(connection, signer.address), used)
        registry, grants = created_address(signer.address, nonce), created_address(signer.address, nonce + 1)
        for position, (name, payload) in enumerate(_creations(registry).items()):
            transaction = signer.sign(identity.chain_id, nonce + position, fees, payload)
            ledger.record_other(
                connection,
                signer.address,
                nonce + position,
                ledger.DEPLOY,
                transaction,
                fees,
                clock(),
                contract=name,
            )
        _write(connection, registry, grants, block_number=lowest)
    addresses = {REGISTRY: registry, GRANTS: grants}
    return Deployment.of(identity.chain_id, identity.genesis_hash, addresses, lowest)


def _await_funds(
    chain: Chain, storage: Storage, signer: Signer, identity: ChainIdentity, settings: RelaySettings
) -> None:
    """Wait until the account can pay for the deployment, or another process has begun one."""
    gas = sum(payload.gas for payload in _creations(signer.address).values())
    watch = FundingWatch(signer.address, identity.chain_id)
    while read_deployment(storage) is None:
        try:
            balance, fees = _balance_and_fees(chain, signer, settings)
        except Unavailable:
            if watch.shortage is None:
                raise
        else:
            shortage = watch.look(balance, fees.maximum, due=gas * fees.maximum)
            if shortage is None or not shortage.is_stopped:
                return
        time.sleep(FUNDING_SECONDS)


def _balance_and_fees(chain: Chain, signer: Signer, settings: RelaySettings) -> tuple[int, Fees]:
    head, balance = ask(
        chain, [("eth_getBlockByNumber", ["latest", False]), ("eth_getBalance", [str(signer.address), "latest"])]
    )
    # Not every node answers these.
    priority, price = chain.batch([("eth_maxPriorityFeePerGas", []), ("eth_gasPrice", [])])
    try:
        return int(balance, 16), Prices.read(head, priority, price).offer(settings.maximum_fee)
    except (TypeError, ValueError) as error:
        raise ChainUnavailable("The node's answers cannot be read.") from error


def _creations(registry: Address) -> dict[str, Payload]:
    """Return what creates each contract, in order."""
    return {
        REGISTRY: _creation(artifact(REGISTRY), b""),
        GRANTS: _creation(artifact(GRANTS), left_padded(registry)),
    }


def _creation(compiled: Artifact, arguments: bytes) -> Payload:
    data = compiled.creation_code + arguments
    gas = CREATION_GAS + DEPLOYED_BYTE_GAS * len(compiled.deployed_code) + CREATION_BYTE_GAS * len(data)
    return Payload(None, data, gas)


def read_deployment(storage: Storage) -> Deployment | None:
    """The contracts that a database belongs to, as far as they are decided. Whether they are there, is not looked at.

    Raises:
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        return _read(connection)


def _read(connection: Connection) -> Deployment | None:
    row = connection.execute(select(DEPLOYMENT)).one_or_none()
    if row is None or row.registry is None:
        return None
    addresses = {REGISTRY: row.registry, GRANTS: row.grants}
    return Deployment.of(row.chain_id, row.genesis_hash, addresses, row.block_number)


def _write(connection: Connection, registry: Address, grants: Address, *, block_number: int) -> None:
    connection.execute(update(DEPLOYMENT).values(registry=registry, grants=grants, block_number=block_number))


def _is_there(chain: Chain, deployment: Deployment) -> bool:
    return all(_code(chain, address) for address in deployment.addresses.values())


def _code(chain: Chain, address: Address) -> bytes:
    return data_of(chain.request("eth_getCode", [str(address), "latest"]))


def _view(chain: Chain, address: Address, function: str) -> bytes:
    try:
        return call_view(chain, address, view_call(function))
    except ContractRefused as error:
        raise ChainUnavailable(f"The contract at {address} does not answer {function}.") from error


def _wait(deadline: float, clock: Callable[[], float], reason: str) -> None:
    if clock() > deadline:
        raise Unavailable(reason, hint="Look at the chain, at the relayer's balance and its fees; then start again.")
    time.sleep(WAIT_SECONDS)
