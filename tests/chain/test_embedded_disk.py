"""The embedded chain on disk survives any end of its process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from registry.base.errors import Conflict
from registry.base.primitives import Address
from registry.chain.client import ChainUnavailable
from registry.devchain.embedded import EmbeddedChain
from registry.devchain.evm import GENESIS_BALANCE
from tests.chain.blocks import blocks_of, height
from tests.chain.contracts import STORES_TIME_AND_LOGS, init_code
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.randomness import random_of
from tests.fixtures.waiting import PATIENCE, eventually, let_others_run, step_until

ROOT = Path(__file__).parents[2]
SHOWN_EACH = 30
"""Receipts that are read before a process is killed, however long a slow machine takes for them."""


@pytest.mark.long
def test_killed_at_any_moment_it_reopens_with_every_block_that_was_shown(tmp_path: Path) -> None:
    """R1, for the chain: a transaction once seen in a block is in the same block after SIGKILL."""
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
        EmbeddedChain.open(tmp_path, Address(b"\x42" * 20))
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
