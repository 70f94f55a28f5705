"""Deploy the contracts of all rooms on a chain once, and check the contracts that exist on a chain.

The plan (nonces, transactions, the addresses that follow from them) is in the database before anything is sent, and the
relayer brings it into blocks like all other transactions. Whenever a process crashes, a database has at most one
contract of each name. A later version of the program with more rooms deploys only what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, insert, select

from registry.artifacts import Artifact
from registry.base.errors import Conflict, ContractRefused, InvalidInput, Unavailable
from registry.base.primitives import ZERO_ADDRESS, Address
from registry.chain.calls import call_view, data_of, view_call
from registry.chain.client import Chain, ChainIdentity, ChainUnavailable, identity_of
from registry.chain.history import ask, block_at
from registry.ethereum.abi import left_padded
from registry.ethereum.eip712 import Domain
from registry.relay import ledger
from registry.relay.fees import Fees, Prices
from registry.relay.funding import FundingWatch
from registry.relay.lease import Lease, LeaseLost, take
from registry.relay.model import DEPLOY
from registry.relay.observe import DEEPEST_REORGANISATION
from registry.relay.relayer import Relayer
from registry.relay.settings import RelaySettings
from registry.relay.signing import Payload, Signer, created_address
from registry.relay.tables import DEPLOYMENT, DEPLOYMENT_CONTRACTS
from registry.rooms.deployment import ContractAt, Deployment
from registry.rooms.protocol import Protocols
from registry.rooms.room import Rooms
from registry.storage.engine import Storage
from registry.storage.insert import insert_if_new

CREATION_GAS: Final = 600_000
DEPLOYED_BYTE_GAS: Final = 200
CREATION_BYTE_GAS: Final = 42
WAIT_SECONDS: Final = 0.2
FUNDING_SECONDS: Final = 1.0


def ensure_deployed(
    chain: Chain,
    storage: Storage,
    rooms: Rooms,
    signer: Signer,
    settings: RelaySettings,
    *,
    holder: str,
    given: Mapping[str, Address] | None = None,
    clock: Callable[[], float] = time.time,
) -> Deployment:
    """Return the contracts of a database: the recorded ones, the given ones, and newly deployed ones for the rest.

    May be called by several processes at once, repeatedly, and after any crash. If the account lacks funds, it logs so
    once and waits without a time limit.

    Args:
        chain: The chain.
        storage: The database, migrated.
        rooms: The rooms.
        signer: The key that deploys, which is the relayer's.
        settings: The relayer's settings.
        holder: The relayer's name for its lease; see `Relayer`.
        given: The addresses of existing contracts, by name.
        clock: Returns the Unix time in seconds.

    Raises:
        Conflict: The database belongs to another chain or to other contracts, or the code at an address is not that of
            our contract.
        InvalidInput: There is no contract with a given name.
        Unavailable: The chain or the database cannot be used now, or the deployment is in no block yet.
        RpcError: The node refused.
    """
    identity = identity_of(chain)
    _bind_chain(storage, identity)
    if given:
        _use_given(chain, storage, rooms, identity, given)
    deployment = _deployed(chain, storage, rooms)
    if deployment is not None:
        return deployment
    _await_funds(chain, storage, rooms, signer, identity, settings)
    return _deploy(chain, storage, rooms, signer, identity, settings, holder, clock)


def bound_identity(storage: Storage) -> ChainIdentity | None:
    """Return the chain that a database belongs to; None for a new database.

    Pass it when opening a chain, so that answers of any other chain are rejected from the first one on.

    Raises:
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        row = connection.execute(select(DEPLOYMENT.c.chain_id, DEPLOYMENT.c.genesis_hash)).one_or_none()
    return None if row is None else ChainIdentity(row.chain_id, row.genesis_hash)


def read_deployment(storage: Storage, protocols: Protocols) -> Deployment | None:
    """Return the recorded deployment; None if a contract of these rooms is not recorded. Does not check the chain.

    Raises:
        Unavailable: The database cannot be used.
    """
    with storage.read() as connection:
        return _read(connection, protocols)


def verify_deployed(chain: Chain, rooms: Rooms, deployment: Deployment, names: Collection[str] | None = None) -> None:
    """Check that our contracts are at the addresses, and that they belong together and to this chain.

    Args:
        chain: The chain.
        rooms: The rooms.
        deployment: The contracts.
        names: The contracts to check; None means all.

    Raises:
        Conflict: A check failed.
        Unavailable: No usable answer came.
        RpcError: The node refused.
    """
    for name in deployment.contracts if names is None else names:
        address = deployment.address_of(name)
        if not rooms.artifact(name).is_code(_code(chain, address)):
            raise Conflict(
                f"The code at {address} is not the code of {name} in this version.",
                hint="Give the addresses of contracts that this version deployed, or none.",
            )
        if _view(chain, address, "domainSeparator()") != Domain(name, deployment.chain_id, address).separator():
            raise Conflict(f"The {name} at {address} was made for another chain.")
        for function, other in rooms.protocols.contracts[name].references.items():
            if other not in deployment.contracts:
                raise Conflict(
                    f"The {name} at {address} refers to a {other}, whose address is not given.",
                    hint="Give the addresses of contracts that belong together.",
                )
            if _view(chain, address, function) != left_padded(deployment.address_of(other)):
                raise Conflict(
                    f"The {name} at {address} refers to another {other} than {deployment.address_of(other)}.",
                    hint="Give the addresses of contracts that belong together.",
                )


def _bind_chain(storage: Storage, identity: ChainIdentity) -> None:
    """Bind the database to the chain."""
    with storage.write() as connection:
        connection.execute(
            insert_if_new(connection, DEPLOYMENT).values(
                id=1, chain_id=identity.chain_id, genesis_hash=identity.genesis_hash
            )
        )
        row = connection.execute(select(DEPLOYMENT)).one()
    known = ChainIdentity(row.chain_id, row.genesis_hash)
    if known != identity:
        raise Conflict(
            f"The database {storage.name} belongs to {known}, but the node serves {identity}.",
            hint="Use the chain it was made for, or another database.",
        )


def _use_given(
    chain: Chain, storage: Storage, rooms: Rooms, identity: ChainIdentity, given: Mapping[str, Address]
) -> None:
    """Check the given contracts, and record those that the database does not have."""
    known = rooms.protocols.contracts
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput(f"There is no contract {unknown[0][:80]!r}.", hint=f"The contracts are: {', '.join(known)}.")
    with storage.read() as connection:
        recorded = _recorded(connection)
    _require_same(storage, recorded, given)
    contracts = {name: ContractAt(address, 0) for name, address in given.items()} | recorded
    verify_deployed(chain, rooms, Deployment(identity.chain_id, identity.genesis_hash, contracts), given)
    with storage.write() as connection:
        for name, address in given.items():
            connection.execute(
                insert_if_new(connection, DEPLOYMENT_CONTRACTS).values(name=name, address=address, block_number=0)
            )
        recorded = _recorded(connection)
        _require_same(storage, recorded, given)


def _require_same(storage: Storage, recorded: Mapping[str, ContractAt], given: Mapping[str, Address]) -> None:
    for name, address in given.items():
        if name in recorded and recorded[name].address != address:
            present = " and ".join(f"{name} at {contract.address}" for name, contract in recorded.items())
            raise Conflict(
                f"The database {storage.name} belongs to the contracts {present}, but {name} at {address} is given.",
                hint="Leave the addresses out, or use another database.",
            )


def _deployed(chain: Chain, storage: Storage, rooms: Rooms) -> Deployment | None:
    """Return the recorded deployment after checking it; None if a contract is not recorded or not on the chain yet."""
    deployment = read_deployment(storage, rooms.protocols)
    if deployment is None or not _is_there(chain, deployment):
        return None
    verify_deployed(chain, rooms, deployment)
    return deployment


def _deploy(
    chain: Chain,
    storage: Storage,
    rooms: Rooms,
    signer: Signer,
    identity: ChainIdentity,
    settings: RelaySettings,
    holder: str,
    clock: Callable[[], float],
) -> Deployment:
    """Deploy what is missing, or wait until another process has done so."""
    deadline = clock() + settings.deploy_seconds
    while (lease := take(storage, signer.address, holder, settings.lease_seconds)) is None:
        deployment = _deployed(chain, storage, rooms)
        if deployment is not None:
            return deployment
        _wait(deadline, clock, "Another process is deploying the contracts and has not finished.")
    deployment = read_deployment(storage, rooms.protocols)
    if deployment is None:
        deployment = _plan(chain, lease, rooms, signer, identity, settings, clock())
    relayer = Relayer(
        chain, storage, signer, deployment, settings, protocols=rooms.protocols, holder=holder, clock=clock
    )
    try:
        _carry_out(chain, relayer, deployment, settings.deploy_seconds, clock)
    finally:
        relayer.close()
    verify_deployed(chain, rooms, deployment)
    return deployment


def _plan(
    chain: Chain,
    lease: Lease,
    rooms: Rooms,
    signer: Signer,
    identity: ChainIdentity,
    settings: RelaySettings,
    now: float,
) -> Deployment:
    """Record the planned deployment of the missing contracts: addresses, nonces and transactions."""
    used = int(chain.request("eth_getTransactionCount", [str(signer.address), "latest"]), 16)
    _, fees = _balance_and_fees(chain, signer, settings)
    # Not the block of the receipt: after a reorganisation the contract may be in an earlier one.
    lowest = max(0, block_at(chain).number - DEEPEST_REORGANISATION)
    with lease.write() as connection:
        contracts = _recorded(connection)
        nonce = max(ledger.next_nonce(connection, signer.address), used)
        for name, contract in rooms.protocols.contracts.items():
            if name in contracts:
                continue
            payload = _creation(
                rooms.artifact(name), [contracts[other].address for other in contract.references.values()]
            )
            transaction = signer.sign(identity.chain_id, nonce, fees, payload)
            ledger.record_other(connection, signer.address, nonce, DEPLOY, transaction, fees, now, contract=name)
            contracts[name] = ContractAt(created_address(signer.address, nonce), lowest)
            connection.execute(
                insert(DEPLOYMENT_CONTRACTS).values(name=name, address=contracts[name].address, block_number=lowest)
            )
            nonce += 1
    return Deployment(
        identity.chain_id, identity.genesis_hash, {name: contracts[name] for name in rooms.protocols.contracts}
    )


def _carry_out(
    chain: Chain, relayer: Relayer, deployment: Deployment, timeout: float, clock: Callable[[], float]
) -> None:
    """Relay until the contracts are on the chain."""
    deadline = clock() + timeout
    while not _is_there(chain, deployment):
        try:
            relayer.step()
        except LeaseLost as error:
            raise Unavailable("Another relayer has taken over the key during the deployment.") from error
        if relayer.shortage is not None and relayer.shortage.is_stopped:
            deadline = clock() + timeout
        if not _is_there(chain, deployment):
            _wait(deadline, clock, "The deployment of the contracts was sent, but is in no block yet.")


def _await_funds(
    chain: Chain, storage: Storage, rooms: Rooms, signer: Signer, identity: ChainIdentity, settings: RelaySettings
) -> None:
    """Wait until the account can pay for the missing contracts, or another process has begun to deploy them."""
    watch = FundingWatch(signer.address, identity.chain_id)
    while True:
        gas = _missing_gas(storage, rooms)
        if not gas:
            return
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


def _missing_gas(storage: Storage, rooms: Rooms) -> int:
    """Return the most gas that deploying the contracts not recorded yet may use."""
    with storage.read() as connection:
        recorded = _recorded(connection)
    return sum(
        _creation(rooms.artifact(name), [ZERO_ADDRESS for _ in contract.references]).gas
        for name, contract in rooms.protocols.contracts.items()
        if name not in recorded
    )


def _balance_and_fees(chain: Chain, signer: Signer, settings: RelaySettings) -> tuple[int, Fees]:
    head, balance = ask(
        chain, [("eth_getBlockByNumber", ["latest", False]), ("eth_getBalance", [str(signer.address), "latest"])]
    )
    # Not every node supports these methods.
    priority, price = chain.batch([("eth_maxPriorityFeePerGas", []), ("eth_gasPrice", [])])
    try:
        return int(balance, 16), Prices.read(head, priority, price).offer(settings.maximum_fee)
    except (TypeError, ValueError) as error:
        raise ChainUnavailable("The node returned invalid answers.") from error


def _creation(compiled: Artifact, references: Sequence[Address]) -> Payload:
    """Return the payload that creates a contract whose constructor takes the addresses of other contracts."""
    data = compiled.creation_code + b"".join(map(left_padded, references))
    gas = CREATION_GAS + DEPLOYED_BYTE_GAS * len(compiled.deployed_code) + CREATION_BYTE_GAS * len(data)
    return Payload(None, data, gas)


def _read(connection: Connection, protocols: Protocols) -> Deployment | None:
    row = connection.execute(select(DEPLOYMENT)).one_or_none()
    recorded = _recorded(connection)
    if row is None or not all(name in recorded for name in protocols.contracts):
        return None
    return Deployment(row.chain_id, row.genesis_hash, {name: recorded[name] for name in protocols.contracts})


def _recorded(connection: Connection) -> dict[str, ContractAt]:
    rows = connection.execute(select(DEPLOYMENT_CONTRACTS).order_by(DEPLOYMENT_CONTRACTS.c.name))
    return {row.name: ContractAt(row.address, row.block_number) for row in rows}


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
        raise Unavailable(reason, hint="Check the chain, the relayer's balance and its fees, then start again.")
    time.sleep(WAIT_SECONDS)
