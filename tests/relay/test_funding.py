"""A relayer without money logs once what to send to which account, and continues when it is funded."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from eth_account import Account

from registry.base.primitives import Address
from registry.chain.client import Chain, RpcError
from registry.chain.rpc import RpcChain
from registry.relay.deploy import ensure_deployed
from registry.relay.fees import GWEI, Fees, Prices, outbid
from registry.relay.funding import FundingWatch
from registry.relay.receipts import Status
from registry.relay.signing import Payload, Signer, payload_of
from registry.relay.terms import Price, Terms
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from tests.fixtures.chains import StartAnvil, one_anvil
from tests.fixtures.waiting import step_until
from tests.relay.faults import Altered
from tests.relay.world import SETTINGS, World

POOR = Signer(b"\x77" * 32)
LINE = re.compile(r"Send at least ([0-9.]+) ether to (0x[0-9a-fA-F]{40})\. The relayer then continues")


@pytest.fixture
def paid_chain(start_anvil: StartAnvil) -> Iterator[Chain]:
    """A chain of its own, so that no other test changes its prices."""
    with one_anvil(start_anvil) as chain:
        yield chain


def set_balance(chain: Chain, wei: int) -> None:
    chain.request("anvil_setBalance", [str(POOR.address), hex(wei)])


def requested(messages: Sequence[str]) -> list[int]:
    """Return the amounts that the lines ask for, in wei; each line must name the account."""
    found = [LINE.search(message) for message in messages]
    assert all(match[2] == str(POOR.address) for match in found if match)
    return [round(float(match[1]) * 10**18) for match in found if match]


def test_an_unfunded_deployment_waits_for_what_it_asks_for(
    paid_chain: Chain, sqlite_storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    """R10: exactly the stated amount is enough, and nothing else is logged meanwhile."""
    caplog.set_level(logging.INFO, "registry")
    looks = 0

    def send_after_some_looks(method: str, params: Sequence[object], carry_out: Callable[[], Any]) -> Any:
        nonlocal looks
        looks += method == "eth_getBalance"
        assert looks >= 3 or method != "eth_sendRawTransaction", "what is signed early is signed at an old price"
        if method == "eth_getBalance" and looks == 3:
            assert len(caplog.messages) == 1
            set_balance(paid_chain, *requested(caplog.messages))
        return carry_out()

    chain = Altered(paid_chain, send_after_some_looks)
    assert ensure_deployed(chain, sqlite_storage, ROOMS, POOR, SETTINGS, holder="poor").contracts
    assert len([message for message in caplog.messages if "has been funded" in message]) == 1


@pytest.fixture
def poor_world(paid_chain: Chain, sqlite_storage: Storage) -> World:
    set_balance(paid_chain, 10**18)
    deployment = ensure_deployed(paid_chain, sqlite_storage, ROOMS, POOR, SETTINGS, holder="world")
    return World(paid_chain, sqlite_storage, deployment, POOR)


def test_a_relayer_that_runs_dry_says_so_once_and_goes_on(poor_world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "registry")
    set_balance(poor_world.chain, 0)
    receipt = poor_world.accept(poor_world.registration())
    relayer = poor_world.relayer()
    for _ in range(5):
        relayer.step()
    assert poor_world.status(receipt) is Status.ACCEPTED
    assert len(caplog.messages) == 1
    (amount,) = requested(caplog.messages)
    assert str(relayer.shortage) == caplog.messages[0]
    assert "cannot pay for the pending transactions" in caplog.messages[0]
    set_balance(poor_world.chain, amount)
    caplog.set_level(logging.INFO, "registry")
    step_until(lambda: poor_world.status(receipt) is Status.MINED, relayer.step)
    assert relayer.shortage is None
    assert len([message for message in caplog.messages if "funded" in message]) == 1


def test_a_node_that_refuses_for_want_of_money_is_not_complained_about_again_and_again(
    poor_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The money went elsewhere after the transaction was signed."""
    caplog.set_level(logging.WARNING, "registry")
    words = "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1"
    refuses = [True]

    def alter(method: str, params: Sequence[object], carry_out: Callable[[], Any]) -> Any:
        if method == "eth_sendRawTransaction" and refuses[0]:
            raise RpcError(-32000, words)
        if method == "eth_getBalance" and refuses[0] and receipt is not None and signed():
            return "0x0"
        return carry_out()

    def signed() -> bool:
        return receipt is not None and poor_world.status(receipt) is Status.SIGNED

    receipt = None
    relayer = poor_world.relayer(chain=Altered(poor_world.chain, alter), resend_seconds=0.0)
    receipt = poor_world.accept(poor_world.registration())
    for _ in range(5):
        relayer.step()
    assert signed()
    assert len(caplog.messages) == 1
    assert requested(caplog.messages)
    assert "cannot pay for the pending transactions" in caplog.messages[0]
    refuses[0] = False
    step_until(lambda: poor_world.status(receipt) is Status.MINED, relayer.step)
    assert relayer.shortage is None


def test_a_low_balance_is_told_before_it_is_too_low(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "registry")
    watch = FundingWatch(POOR.address, 77)
    action = 250_000 * GWEI
    for balance in (100 * action, 9 * action, 9 * action, 0, 0, 9 * action, 50 * action):
        watch.look(balance, GWEI, due=action if balance == 0 else 0)
    said = [message.partition(" on chain 77 ")[2].partition(".")[0] for message in caplog.messages]
    low, stopped = "pays for fewer than 10 more actions", "cannot pay for the pending transactions"
    assert said == [low, stopped, low, ""]
    assert "its balance is 0.0125 ether" in caplog.messages[-1]


def test_a_free_network_needs_no_money() -> None:
    assert FundingWatch(POOR.address, 77).look(0, 0, due=0) is None


NO_METHOD = RpcError(-32601, "the method does not exist/is not available")
FULL = {"gasUsed": "0x1e8480", "gasLimit": "0x1e8480"}
HALF = {"gasUsed": "0xf4240", "gasLimit": "0x1e8480"}


@pytest.mark.parametrize(
    ("head", "priority", "price", "expected"),
    [
        (HALF | {"baseFeePerGas": "0x64"}, "0xa", "0x6e", Fees(210, 10)),
        (FULL | {"baseFeePerGas": "0x64"}, "0xa", "0x6e", Fees(2 * 112 + 10, 10)),
        (HALF | {"baseFeePerGas": "0x64"}, NO_METHOD, "0x6e", Fees(210, 10)),
        (HALF | {"baseFeePerGas": "0x64"}, NO_METHOD, NO_METHOD, Fees(200 + GWEI, GWEI)),
        (HALF | {"baseFeePerGas": "0x0"}, "0x0", "0x0", Fees(0, 0)),
        (HALF | {"baseFeePerGas": "0x0"}, NO_METHOD, "0x0", Fees(0, 0)),
        (HALF, NO_METHOD, "0x6e", Fees(110, 110, is_legacy=True)),
        (HALF, "0x0", "0x0", Fees(0, 0, is_legacy=True)),
        (HALF, NO_METHOD, NO_METHOD, Fees(GWEI, GWEI, is_legacy=True)),
    ],
)
def test_what_is_offered_follows_what_the_node_asks(head: Any, priority: Any, price: Any, expected: Fees) -> None:
    assert Prices.read(head, priority, price).offer(10**12) == expected


def test_a_gas_price_is_outbid_by_a_gas_price() -> None:
    assert outbid(Fees(800, 800), Fees(110, 110, is_legacy=True)) == Fees(901, 901, is_legacy=True)


@pytest.mark.parametrize("to", [None, Address(b"\x22" * 20)])
def test_legacy_transactions_are_those_that_eth_account_signs(to: Address | None) -> None:
    payload = Payload(to, b"\x01\x02", 90_000)
    signed = POOR.sign(1337, 7, Fees(5 * GWEI, 5 * GWEI, is_legacy=True), payload)
    fields = {"chainId": 1337, "nonce": 7, "gasPrice": 5 * GWEI, "gas": 90_000, "value": 0, "data": b"\x01\x02"}
    oracle = Account.from_key(b"\x77" * 32).sign_transaction(fields | ({} if to is None else {"to": str(to)}))
    assert signed.raw == bytes(oracle.raw_transaction)
    assert signed.hash == bytes(oracle.hash)
    assert payload_of(signed.raw) == payload


def test_a_chain_without_a_base_fee_takes_what_is_sent(start_anvil: StartAnvil, sqlite_storage: Storage) -> None:
    """anvil with the rules of Berlin knows no EIP-1559 transactions."""
    process, url = start_anvil("--hardfork", "berlin")
    chain = RpcChain([url])
    try:
        chain.request("anvil_setBalance", [str(POOR.address), hex(10**18)])
        deployment = ensure_deployed(chain, sqlite_storage, ROOMS, POOR, SETTINGS, holder="world")
        world = World(chain, sqlite_storage, deployment, POOR)
        terms = Terms(Price(chain, 1000 * GWEI), contract_wallets=False, budgets=None)
        receipt = world.submit(world.registration(), terms=terms)
        step_until(lambda: world.status(receipt) is Status.MINED, world.relayer().step)
    finally:
        chain.close()
        process.kill()
        process.wait()
