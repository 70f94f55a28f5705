"""Guarantees of the embedded chain: blocks follow the clock, and nothing stops the miner."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth.abc import BlockAPI
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlock
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_account import Account

from registry.chain.client import READ_METHODS, ChainUnavailable, RpcError
from registry.devchain.embedded import EmbeddedChain
from registry.devchain.evm import GENESIS_BALANCE
from registry.devchain.store import DevBlock
from tests.chain.blocks import blocks_of, height
from tests.chain.contracts import STORES_TIME_AND_LOGS, init_code
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.clocks import Clock

OTHER_KEY = "0x" + "42" * 32
OTHER = Account.from_key(OTHER_KEY).address
ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> Clock:
    return Clock(1_800_000_000.0)


@pytest.fixture
def paused(clock: Clock) -> Iterator[EmbeddedChain]:
    """A chain in memory whose miner is stepped by the test, by a clock that the test moves: no thread makes blocks."""
    chain = EmbeddedChain.in_memory(RELAYER, auto_mine=False, clock=clock)
    assert chain._miner is not None
    chain._miner.close()
    yield chain
    chain.close()


def go_on(chain: EmbeddedChain, clock: Clock, seconds: float = 1.0) -> None:
    """Move the clock, and make the block that is due by then, if there is one."""
    clock.now += seconds
    chain._step()


# Blocks follow the clock and the rules


def test_no_block_is_ahead_of_the_clock(paused: EmbeddedChain, clock: Clock) -> None:
    wallet = Wallet(paused)
    sent = wallet.send()
    go_on(paused, clock, 0)
    assert height(paused) == 0, "the genesis block has this second"
    go_on(paused, clock)
    assert height(paused) == 1
    assert int(paused.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16) == clock.now
    assert paused.request("eth_getTransactionReceipt", [sent])["status"] == "0x1"
    clock.now -= 100
    wallet.send()
    go_on(paused, clock, 99)
    assert height(paused) == 1, "the clock was set back: wait until it has caught up"
    go_on(paused, clock, 2)
    assert height(paused) == 2


def test_estimate_within_the_second_of_the_newest_block_is_enough(paused: EmbeddedChain, clock: Clock) -> None:
    """A contract that stores the time writes another time than the newest block's, even if no second has passed."""
    wallet = Wallet(paused)
    deployed = wallet.send(to=None, data=init_code(STORES_TIME_AND_LOGS), gas=500_000)
    go_on(paused, clock)
    address = paused.request("eth_getTransactionReceipt", [deployed])["contractAddress"]
    wallet.send(to=address, gas=200_000)
    go_on(paused, clock)
    call = {"from": wallet.account.address, "to": address}
    sent = wallet.send(to=address, gas=int(paused.request("eth_estimateGas", [call]), 16))
    go_on(paused, clock)
    assert paused.request("eth_getTransactionReceipt", [sent])["status"] == "0x1"


def test_all_that_waits_goes_into_one_block(paused: EmbeddedChain, clock: Clock) -> None:
    wallet = Wallet(paused)
    hashes = [wallet.send(value=1) for _ in range(100)]
    go_on(paused, clock)
    assert height(paused) == 1
    assert paused.request("eth_getBlockByNumber", ["0x1", False])["transactions"] == hashes


def test_block_holds_no_more_than_its_gas_limit(paused: EmbeddedChain, clock: Clock) -> None:
    wallet = Wallet(paused)
    for _ in range(3):
        wallet.send(to=None, data="0xfe", gas=16_000_000)  # The invalid instruction uses all of it.
    for expected in (1, 2, 3):
        go_on(paused, clock)
        assert height(paused) == expected
    assert [len(block["transactions"]) for block in blocks_of(paused)] == [0, 1, 1, 1]


def test_transaction_that_became_invalid_is_dropped_and_the_rest_goes_on(
    paused: EmbeddedChain, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = Wallet(paused)
    wallet.send(to=OTHER, value=3 * 10**15)
    go_on(paused, clock)
    assert height(paused) == 1
    poor = Wallet(paused, OTHER_KEY)
    fees = {"maxFeePerGas": 2 * 10**9, "maxPriorityFeePerGas": 10**9}
    poor.send(value=29 * 10**14, **fees)
    too_much = poor.send(value=29 * 10**14, **fees)
    after = poor.send(**fees)
    fine = wallet.send()
    with caplog.at_level(logging.WARNING):
        go_on(paused, clock)
        assert height(paused) == 2
    assert paused.request("eth_getTransactionReceipt", [fine])["status"] == "0x1"
    assert paused.request("eth_getTransactionByHash", [too_much]) is None
    assert too_much in caplog.text
    assert paused.request("eth_getTransactionByHash", [after])["blockHash"] is None, "it waits behind the gap"


def test_transaction_below_the_base_fee_waits(paused: EmbeddedChain, clock: Clock) -> None:
    wallet = Wallet(paused)
    cheap = wallet.sign(maxFeePerGas=10, maxPriorityFeePerGas=1)
    cheap_hash = paused.request("eth_sendRawTransaction", [cheap])
    go_on(paused, clock)
    assert height(paused) == 0
    better = wallet.send()
    go_on(paused, clock, 0)
    assert height(paused) == 1
    assert paused.request("eth_getTransactionReceipt", [better])["status"] == "0x1"
    assert paused.request("eth_getTransactionByHash", [cheap_hash]) is None


def test_py_evm_itself_imports_our_blocks() -> None:
    chain = EmbeddedChain.in_memory(RELAYER)
    wallet = Wallet(chain)
    address = wallet.receipt(wallet.send(to=None, data=init_code(STORES_TIME_AND_LOGS), gas=500_000))["contractAddress"]
    for value in range(3):
        wallet.send(to=address, data=f"0x{value:064x}", gas=200_000)
    stored = [chain._chain.block_at(number) for number in range(height(chain) + 1)]
    chain.close()

    class Reference(MiningChain):
        chain_id = chain.identity.chain_id
        vm_configuration = ((0, PragueVM),)  # type: ignore[assignment]

    def whole(block: DevBlock | None) -> BlockAPI:
        assert block is not None
        return PragueBlock(
            header=block.header, transactions=[PragueTransactionBuilder.decode(raw) for raw in block.transactions]
        )

    first = whole(stored[0]).header
    names = ("difficulty", "nonce", "timestamp", "gas_limit", "coinbase", "extra_data")
    reference = Reference.from_genesis(
        AtomicDB(),
        {name: getattr(first, name) for name in names},
        {bytes(RELAYER): {"balance": GENESIS_BALANCE, "nonce": 0, "code": b"", "storage": {}}},  # type: ignore[dict-item]
    )
    assert reference.get_canonical_head().hash == first.hash
    for block in stored[1:]:
        reference.import_block(whole(block))
        assert block is not None
        assert block.size == len(rlp.encode(whole(block)))
    assert reference.get_canonical_head().hash == whole(stored[-1]).hash


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"to": None, "data": "0x" + "00" * 49_153, "gas": 9_000_000}, "max initcode size exceeded"),
        ({"data": "0x" + "00" * 131_072, "gas": 9_000_000}, "oversized data"),
        ({"gas": 2**24 + 1}, "transaction gas limit too high"),
        ({"data": "0x" + "11" * 1000, "gas": 21_000 + 16_000}, "intrinsic gas too low"),
    ],
)
def test_transaction_over_a_limit_is_refused(fields: dict[str, Any], reason: str) -> None:
    chain = EmbeddedChain.in_memory(RELAYER)
    with pytest.raises(RpcError, match=reason):
        Wallet(chain).send(**fields)
    chain.close()


def test_transaction_without_chain_id_is_refused() -> None:
    """C5: a signature that is valid on every chain is refused."""
    chain = EmbeddedChain.in_memory(RELAYER)
    raw = Wallet(chain).account.sign_transaction(
        {"nonce": 0, "gasPrice": 10**10, "gas": 21_000, "to": bytes(20), "value": 0}
    )
    with pytest.raises(RpcError, match="replay-protected"):
        chain.request("eth_sendRawTransaction", ["0x" + bytes(raw.raw_transaction).hex()])
    chain.close()


# Requests, well-formed and not


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_sign", [], -32601),
        ("close", [], -32601),
        ("eth_getBlockByNumber", [], -32602),
        ("eth_getBlockByNumber", ["newest", False], -32602),
        ("eth_getBlockByNumber", [1, False], -32602),
        ("eth_getBlockByNumber", ["0x1", "yes"], -32602),
        ("eth_getBlockByNumber", ["0x1", False, 1], -32602),
        ("eth_getBalance", ["0x12"], -32602),
        ("eth_getBalance", [str(RELAYER), "0x99"], -32000),
        ("eth_getBalance", [str(RELAYER), {"blockHash": "0x" + "00" * 32}], -32000),
        ("eth_getLogs", [{"fromBlock": "0x1", "toBlock": "0x0"}], -32602),
        ("eth_getLogs", [{"address": "0x1234"}], -32602),
        ("eth_getLogs", [{"topics": "0x" + "00" * 32}], -32602),
        ("eth_getLogs", [{"topics": [None] * 5}], -32602),
        ("eth_getLogs", [{"adress": None}], -32602),
        ("eth_getLogs", [{"blockHash": "0x" + "00" * 32, "fromBlock": "0x0"}], -32602),
        ("eth_call", ["0x"], -32602),
        ("eth_call", [{"data": "0x00", "input": "0x01"}], -32602),
        ("eth_call", [{"to": str(RELAYER), "gas": "0x1"}], -32000),
        ("eth_getProof", [str(RELAYER), ["0x0"] * 1025], -32602),
        ("eth_feeHistory", ["0x1", "latest", [101]], -32602),
        ("eth_sendRawTransaction", ["zz"], -32602),
    ],
)
def test_request_that_makes_no_sense_is_an_error(method: str, params: list[object], code: int) -> None:
    chain = EmbeddedChain.in_memory(RELAYER)
    with pytest.raises(RpcError) as caught:
        chain.request(method, params)
    assert caught.value.code == code
    chain.close()


def test_all_methods_but_sending_are_the_read_methods(tmp_path: Path) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    assert set(chain._methods) == READ_METHODS | {"eth_sendRawTransaction"}
    chain.close()


def test_chain_on_disk_has_no_methods_that_change_its_history(tmp_path: Path) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    for method in ("evm_revert", "evm_increaseTime", "evm_mine", "evm_snapshot", "evm_setNextBlockTimestamp"):
        with pytest.raises(RpcError, match="does not exist"):
            chain.request(method)
    chain.close()


def test_rehearsal_can_change_time_and_history(clock: Clock) -> None:
    chain = EmbeddedChain.in_memory(RELAYER, clock=clock)
    wallet = Wallet(chain)
    snapshot = chain.request("evm_snapshot")
    chain.request("evm_increaseTime", [1000])
    sent = wallet.send(value=5)
    block = chain.request("eth_getBlockByNumber", ["latest", False])
    assert int(block["timestamp"], 16) == clock.now + 1000
    chain.request("evm_mine", [int(clock.now) + 2000])
    assert int(chain.request("eth_getBlockByNumber", ["0x2", False])["timestamp"], 16) == clock.now + 2000
    assert chain.request("evm_revert", [snapshot]) is True
    assert height(chain) == 0
    assert chain.request("eth_getTransactionReceipt", [sent]) is None
    assert chain.request("eth_getBlockByNumber", ["0x1", False]) is None
    again = Wallet(chain)
    assert again.nonce == 0
    again.send(value=6)
    assert height(chain) == 1
    assert chain.request("evm_revert", [snapshot]) is False
    chain.close()


def test_closed_chain_says_so() -> None:
    chain = EmbeddedChain.in_memory(RELAYER)
    chain.close()
    with pytest.raises(ChainUnavailable):
        chain.request("eth_getBlockByNumber", ["0x0", False])
