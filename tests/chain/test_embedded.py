"""The embedded chain's own promises: what is on disk survives, blocks keep to the clock, nothing stops the miner."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
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

from registry.base.errors import Conflict
from registry.base.primitives import Address
from registry.chain.client import READ_METHODS, ChainUnavailable, RpcError
from registry.devchain.embedded import EmbeddedChain
from registry.devchain.evm import GENESIS_BALANCE
from registry.devchain.store import DevBlock
from tests.chain.contracts import STORES_TIME_AND_LOGS, init_code
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.clocks import Clock
from tests.fixtures.randomness import random_of
from tests.fixtures.waiting import PATIENCE, eventually, let_others_run, step_until

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
    """Move the clock, and make the block whose time has come by then, if there is one."""
    clock.now += seconds
    chain._step()


def height(chain: EmbeddedChain) -> int:
    return int(chain.request("eth_blockNumber"), 16)


def blocks_of(chain: EmbeddedChain) -> list[dict[str, Any]]:
    return [chain.request("eth_getBlockByNumber", [hex(n), False]) for n in range(height(chain) + 1)]


# What is on disk survives


SHOWN_EACH = 30
"""Receipts that are read before a process is killed, however long a slow machine takes for them."""


def test_killed_at_any_moment_it_reopens_with_every_block_that_was_shown(tmp_path: Path) -> None:
    """R1, on the chain's side: what was once seen in a block is there after SIGKILL, in the same block."""
    moments = random_of("moments of kills")
    shown: list[tuple[str, str, str]] = []
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chain.killed_process", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(SHOWN_EACH)]
        let_others_run(moments.uniform(0.0, 1.5))
        process.kill()
        lines += process.stdout.read().splitlines()
        process.wait()
        shown += [(fields[0], fields[1], fields[2]) for line in lines if len(fields := line.split()) == 3]
        chain = EmbeddedChain.open(tmp_path, RELAYER)
        try:
            for transaction_hash, number, block_hash in shown:
                receipt = chain.request("eth_getTransactionReceipt", [transaction_hash])
                assert (receipt["blockNumber"], receipt["blockHash"]) == (number, block_hash)
            blocks = blocks_of(chain)
            times = [int(block["timestamp"], 16) for block in blocks]
            assert all(later > sooner for sooner, later in pairwise(times))
            assert times[-1] <= time.time()
            assert all(child["parentHash"] == parent["hash"] for parent, child in pairwise(blocks))
            sent = sum(len(block["transactions"]) for block in blocks)
            assert int(chain.request("eth_getTransactionCount", [str(RELAYER), "latest"]), 16) == sent
        finally:
            chain.close()
    assert len(shown) >= 4 * SHOWN_EACH


def test_reopened_it_is_the_same_chain_and_goes_on(tmp_path: Path) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    wallet = Wallet(chain)
    address = wallet.receipt(wallet.send(to=None, data=init_code(STORES_TIME_AND_LOGS), gas=500_000))["contractAddress"]
    logged = wallet.receipt(wallet.send(to=address, data="0x" + "07" * 32, gas=200_000))
    questions: list[tuple[str, list[object]]] = [
        ("eth_getBlockByNumber", ["latest", True]),
        ("eth_getBlockByHash", [logged["blockHash"], False]),
        ("eth_getTransactionByHash", [logged["transactionHash"]]),
        ("eth_getTransactionReceipt", [logged["transactionHash"]]),
        ("eth_getLogs", [{"fromBlock": "0x0", "address": address}]),
        ("eth_getProof", [address, ["0x1"], "latest"]),
        ("eth_getStorageAt", [address, "0x1", hex(int(logged["blockNumber"], 16) - 1)]),
        ("eth_getCode", [address]),
    ]
    before, identity = chain.batch(questions), chain.identity
    chain.close()

    chain = EmbeddedChain.open(tmp_path, RELAYER)
    try:
        assert chain.identity == identity
        assert chain.batch(questions) == before
        wallet = Wallet(chain)
        assert int(wallet.receipt(wallet.send())["blockNumber"], 16) == int(logged["blockNumber"], 16) + 1
    finally:
        chain.close()


def test_chains_are_made_with_ids_of_their_own(tmp_path: Path) -> None:
    chains = [EmbeddedChain.open(tmp_path / str(number), RELAYER) for number in range(4)]
    identities = {chain.identity for chain in chains}
    for chain in chains:
        chain.close()
    assert len({identity.genesis_hash for identity in identities}) > 1
    assert all(0x74640000 <= identity.chain_id <= 0x7464FFFF for identity in identities)


def test_second_process_on_a_folder_is_refused(tmp_path: Path) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    try:
        second = subprocess.run(
            [sys.executable, "-m", "tests.chain.killed_process", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert second.returncode != 0
        assert "Conflict: Another node uses this data folder" in second.stderr
        with pytest.raises(Conflict, match="Another node uses this data folder"):
            EmbeddedChain.open(tmp_path, RELAYER)
    finally:
        chain.close()
    EmbeddedChain.open(tmp_path, RELAYER).close()


def test_another_relayers_chain_is_refused(tmp_path: Path) -> None:
    EmbeddedChain.open(tmp_path, RELAYER).close()
    with pytest.raises(Conflict, match=f"created for the relayer {RELAYER}"):
        EmbeddedChain.open(tmp_path, Address.parse(OTHER))
    EmbeddedChain.open(tmp_path, RELAYER).close()


def test_file_that_is_no_chain_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chain.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(ChainUnavailable, match="cannot be read"):
        EmbeddedChain.open(tmp_path, RELAYER)


def test_other_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "chain.sqlite3") as connection:
        connection.execute("CREATE TABLE receipts (id)")
    connection.close()
    with pytest.raises(Conflict, match="is not an embedded chain"):
        EmbeddedChain.open(tmp_path, RELAYER)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE blocks SET header = (SELECT header FROM blocks WHERE number = 0)",
        "DELETE FROM blocks WHERE number = 0",
        "DELETE FROM nodes",
        "UPDATE blocks SET header = x'c0'",
    ],
)
def test_damaged_chain_is_refused(tmp_path: Path, damage: str) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    wallet = Wallet(chain)
    wallet.receipt(wallet.send())
    chain.close()
    with sqlite3.connect(tmp_path / "chain.sqlite3") as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(ChainUnavailable, match="cannot be read"):
        EmbeddedChain.open(tmp_path, RELAYER)


def test_full_disk_stops_writes_but_not_reads_and_heals(tmp_path: Path) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    try:
        wallet = Wallet(chain)
        connection = chain._chain.store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        waiting = wallet.send(to=None, data=init_code(b"\x00" * 20_000), gas=8_000_000)
        eventually(lambda: chain._fault != "")
        with pytest.raises(ChainUnavailable, match="full"):
            wallet.send()
        assert height(chain) == 0
        assert chain.request("eth_getBalance", [str(RELAYER)]) == hex(GENESIS_BALANCE)
        connection.execute("PRAGMA max_page_count = 1000000")
        assert wallet.receipt(waiting)["blockNumber"] == "0x1"
        eventually(lambda: chain._fault == "")
        wallet.receipt(wallet.send())
    finally:
        chain.close()


# Blocks keep to the clock, and to the rules


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
    """C5: a signature that would hold on any chain is not taken."""
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


def test_readers_never_see_half_a_block(tmp_path: Path) -> None:
    chain = EmbeddedChain.open(tmp_path, RELAYER)
    wallet = Wallet(chain)
    address = wallet.receipt(wallet.send(to=None, data=init_code(STORES_TIME_AND_LOGS), gas=500_000))["contractAddress"]
    done = threading.Event()
    wrong: list[object] = []
    seen: set[str] = set()

    def read() -> None:
        while not done.is_set():
            block = chain.request("eth_getBlockByNumber", ["latest", False])
            receipts = chain.request("eth_getBlockReceipts", [block["hash"]])
            logs = chain.request("eth_getLogs", [{"blockHash": block["hash"]}])
            chain.request("eth_call", [{"to": address, "data": "0x"}, block["number"]])
            if [receipt["transactionHash"] for receipt in receipts] != block["transactions"]:
                wrong.append(block)
            if [log for receipt in receipts for log in receipt["logs"]] != logs:
                wrong.append(logs)
            if receipts:
                seen.add(block["hash"])

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()

    def make_a_block() -> None:
        last = [wallet.send(to=address, data=f"0x{value:064x}", gas=200_000) for value in range(20)][-1]
        wallet.receipt(last)

    try:
        step_until(lambda: len(seen) >= 3 or wrong, make_a_block, pause=0.0)
    finally:
        done.set()
        for reader in readers:
            reader.join()
        chain.close()
    assert wrong == []
    assert len(seen) >= 3
