"""Limits on what strangers can make the relayer pay for: priced rehearsals, contract wallets, and gas budgets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import func, select

from registry.base.errors import ContractRefused, InvalidInput, LimitReached, Unavailable
from registry.base.primitives import Address, Bytes32, keccak256
from registry.chain.client import Chain
from registry.relay.budgets import Charge, GasBudgets, spend
from registry.relay.fees import Fees
from registry.relay.receipts import Status
from registry.relay.signing import Payload, created_address
from registry.relay.tables import GAS_SPENT, RECEIPTS
from registry.relay.terms import Price, Terms
from registry.rooms.access.messages import AccessRequest
from registry.rooms.datasets.messages import Registration
from registry.storage import Storage, open_storage
from scripts.strangers.burning import ACCOMMODATING, BURNING
from tests.fixtures.waiting import PATIENCE, step_until
from tests.relay.world import LATER, OWNER, Owner, World

GWEI = 10**9
LONG = bytes(70)
"""A signature that only a contract can accept."""
AMPLE = GasBudgets(10**12, 10**12, 10**12, 10**12)


def terms(world: World, budgets: GasBudgets | None = None, *, contract_wallets: bool = True) -> Terms:
    return Terms(Price(world.chain, 1000 * GWEI), contract_wallets, budgets)


def deploy(world: World, code: bytes) -> Address:
    """Put code on the chain, by an initialisation that returns it (Yellow Paper, section 7)."""
    initialisation = bytes([0x60, len(code), 0x80, 0x60, 0x0B, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + code
    nonce = int(world.chain.request("eth_getTransactionCount", [str(world.signer.address), "latest"]), 16)
    payload = Payload(None, initialisation, 1_000_000)
    transaction = world.signer.sign(world.deployment.chain_id, nonce, Fees(100 * GWEI, GWEI), payload)
    world.chain.request("eth_sendRawTransaction", [f"0x{transaction.raw.hex()}"])
    address = created_address(world.signer.address, nonce)
    step_until(lambda: world.chain.request("eth_getCode", [str(address), "latest"]) == f"0x{code.hex()}", lambda: None)
    return address


def owned_by(world: World, owner: Address) -> Registration:
    return world.registration().model_copy(update={"owner": owner})


def accepted(storage: Storage) -> int:
    with storage.read() as connection:
        count: int = connection.execute(select(func.count()).select_from(RECEIPTS)).scalar_one()
    return count


def test_a_wallet_that_burns_gas_where_it_costs_something_is_found_out(world: World) -> None:
    """It accepts in a free rehearsal, and would use all the gas of every transaction."""
    message = owned_by(world, deploy(world, BURNING))
    for _ in range(3):
        with pytest.raises(ContractRefused) as caught:
            world.submit(message, signature=LONG, terms=terms(world))
        assert caught.value.name == "SignatureNotBySigner"
    assert accepted(world.storage) == 0
    free = Terms(lambda: Fees(0, 0), False, None)
    assert world.submit(message, signature=LONG, terms=free).status is Status.ACCEPTED


def test_what_failed_is_paid_for_once(small_world: World) -> None:
    """The same body, posted repeatedly, has one receipt, which states that it failed."""
    world = small_world
    message = owned_by(world, deploy(world, BURNING))
    free = Terms(lambda: Fees(0, 0), False, None)
    first = world.submit(message, signature=LONG, terms=free)
    step_until(lambda: world.status(first) is Status.FAILED, world.relayer(finality=0).step)
    nonces = world.nonces()
    for _ in range(3):
        assert world.submit(message, signature=LONG, terms=free).id == first.id
    world.relayer(finality=0).step()
    assert world.nonces() == nonces


def test_contract_wallets_are_relayed_for_by_choice(small_world: World) -> None:
    world = small_world
    message = owned_by(world, deploy(world, ACCOMMODATING))
    with pytest.raises(InvalidInput, match="contract wallet") as caught:
        world.submit(message, signature=LONG, terms=terms(world, contract_wallets=False))
    assert (
        f"call register of the DatasetRegistry at {world.deployment.address_of('DatasetRegistry')}" in caught.value.hint
    )
    assert accepted(world.storage) == 0
    assert world.submit(message, signature=LONG, terms=terms(world)).status is Status.ACCEPTED


def test_an_account_that_delegates_to_code_counts_as_a_contract_wallet(anvil_world: World) -> None:
    """EIP-7702: its key has signed, but its code decides, with any amount of gas."""
    world, delegating = anvil_world, Owner("delegating")
    wallet = deploy(world, ACCOMMODATING)
    world.chain.request("anvil_setCode", [str(delegating.address), f"0xef0100{wallet.hex()}"])
    with pytest.raises(InvalidInput, match="contract wallet"):
        world.submit(world.registration(owner=delegating), delegating, terms=terms(world, contract_wallets=False))
    assert accepted(world.storage) == 0


def test_a_relayer_that_cannot_pay_accepts_nothing(world: World) -> None:
    world.signer = type(world.signer)(keccak256(b"a key without ether"))
    with pytest.raises(Unavailable, match="does not have the"):
        world.submit(world.registration(), terms=terms(world))
    assert accepted(world.storage) == 0


@pytest.mark.parametrize("scope", ["total", "account", "subject", "newcomers"])
def test_a_budget_ends_and_comes_back_with_the_hour(small_world: World, storage: Storage, scope: str) -> None:
    world = small_world
    world.storage = storage
    names = ["a", "b", "c"]
    owners = [Owner(name) if scope in ("total", "newcomers") else OWNER for name in names]
    messages = [world.registration(name, owner) for name, owner in zip(names, owners, strict=True)]
    if scope == "subject":  # The same content and salt: other words about one dataset.
        messages = [messages[0].model_copy(update={"uri": name}) for name in names]
    gas = max(world.prepare(one, bytes(65)).gas for one in messages)
    budgets = replace(AMPLE, **{scope: 2 * gas})

    def send(index: int) -> None:
        world.submit(messages[index], owners[index], terms=terms(world, budgets), clock=lambda: clock)

    clock = 3600.0 * 500_000 + 3000
    send(0)
    send(1)
    send(1)  # A repetition uses nothing.
    with pytest.raises(LimitReached, match="gas") as caught:
        send(2)
    assert caught.value.retry_after == 600
    assert "Try again in 10 minutes" in caught.value.hint
    assert (
        f"call register of the DatasetRegistry at {world.deployment.address_of('DatasetRegistry')}" in caught.value.hint
    )
    assert accepted(storage) == 2
    clock += 600
    send(2)
    assert accepted(storage) == 3


def test_strangers_with_many_keys_leave_gas_for_owners_with_a_history(small_world: World) -> None:
    """Keys cost nothing, so a budget by account does not bound what one person uses of the hour."""
    world = small_world
    asked: list[tuple[Address, float]] = []

    def owns_since(account: Address, moment: float) -> bool:
        asked.append((account, moment))
        return account == OWNER.address

    gas = world.prepare(world.registration(), bytes(65)).gas
    budgets = terms(world, replace(AMPLE, newcomers=2 * gas))
    budgets = replace(budgets, owns_since=owns_since)
    now = 3600.0 * 500_000

    def register(owner: Owner) -> Status:
        return world.submit(world.registration(owner=owner), owner, terms=budgets, clock=lambda: now).status

    assert {register(Owner(f"key {number}")) for number in range(2)} == {Status.ACCEPTED}
    with pytest.raises(LimitReached, match="have not owned anything here for 24 hours"):
        register(Owner("another key"))
    assert {register(OWNER) for _ in range(3)} == {Status.ACCEPTED}
    assert asked[-1] == (OWNER.address, now - 86_400)


def test_requests_of_strangers_leave_an_owners_budget_alone(small_world: World) -> None:
    """A requester spends a budget of their own, and a budget for requests that all requesters share."""
    world = small_world
    registration = world.registration()
    world.send_directly(registration)
    requests = [
        AccessRequest(
            dataset_id=registration.dataset_id,
            grantee=Owner(name).address,
            rights=1,
            expires_at=LATER,
            purpose="",
            requests=0,
            deadline=LATER,
        )
        for name in ("one", "two", "three")
    ]
    gas = world.prepare(requests[0], bytes(65)).gas
    budgets = terms(world, replace(AMPLE, subject=2 * gas))
    world.submit(requests[0], Owner("one"), terms=budgets)
    world.submit(requests[1], Owner("two"), terms=budgets)
    with pytest.raises(LimitReached, match="requests for the dataset"):
        world.submit(requests[2], Owner("three"), terms=budgets)
    head = Bytes32(world.head_of(registration.dataset_id))
    assert world.submit(world.revision(registration.dataset_id, head), terms=budgets).status is Status.ACCEPTED


def test_processes_that_share_a_database_share_the_budgets(
    small_world: World, storage: Storage, migrated_url: str
) -> None:
    """In any order: exactly as many are accepted as the budget covers."""
    world = small_world
    submissions = [world.prepare(world.registration(), bytes(65)) for _ in range(12)]
    gas = submissions[0].gas
    budgets = replace(AMPLE, total=7 * gas)
    others = [open_storage(migrated_url), open_storage(migrated_url)]
    barrier = Barrier(4)

    def take(number: int) -> int:
        barrier.wait(PATIENCE)
        spent = 0
        for submission in submissions[number::4]:
            assert submission.gas == gas
            try:
                with others[number % 2].write() as connection:
                    spend(connection, budgets, Charge(submission, OWNER.address, OWNER.address), 0.0)
                spent += 1
            except LimitReached:
                pass
        return spent

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(4))) == 7
    for other in others:
        other.close()
    with storage.read() as connection:
        spent = {row.scope: row.gas for row in connection.execute(select(GAS_SPENT))}
    assert spent["all"] == spent[f"account {OWNER.address}"] == 7 * gas


def test_old_hours_are_forgotten(small_world: World) -> None:
    world = small_world
    for hour in range(40):
        with world.storage.write() as connection:
            submission = world.prepare(world.registration(), bytes(65))
            spend(connection, AMPLE, Charge(submission, OWNER.address, OWNER.address), 3600.0 * hour)
    with world.storage.read() as connection:
        oldest = connection.execute(select(func.min(GAS_SPENT.c.hour))).scalar_one()
    assert oldest == 39 - 24


def test_a_price_is_asked_for_every_few_seconds(embedded: Chain) -> None:
    now = 0.0
    asked = []

    class Counting:
        def batch(self, calls: object) -> object:
            asked.append(calls)
            return embedded.batch(calls)  # type: ignore[arg-type]

    price = Price(Counting(), 5 * GWEI, clock=lambda: now)  # type: ignore[arg-type]
    assert {price().maximum, price().maximum} == {price().maximum}
    assert len(asked) == 1
    assert 0 < price().maximum <= 5 * GWEI
    now = 10.0
    price()
    assert len(asked) == 2
