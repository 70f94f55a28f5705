"""Compare the embedded chain with eth-tester's own backend: writes and reads per second.

Both run the same py-evm. Ours writes each block to disk (SQLite, synchronous=FULL) before it is visible, and makes at
most one block a second of all pending transactions; eth-tester keeps everything in memory and makes one block per
transaction. In one respect eth-tester does more: it checks and normalises every field of every request and answer.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]
from eth_utils.crypto import keccak

from registry.base.primitives import Address
from registry.chain.client import Chain
from registry.devchain.embedded import EmbeddedChain
from scripts.figures import Figure

ROUNDS = 3
WRITTEN = 400
WRITTEN_BY_PEER = 60
READ = 2_000
BLOCKS_READ = 60
KEY = "0x" + "17" * 32
ARTIFACT = Path(__file__).resolve().parents[1] / "registry/artifacts/DatasetRegistry.json"
REGISTER = keccak(text="register((address,bytes32,bytes32,string,bytes32,(uint256,uint24)[],uint64),bytes)")[:4]
URI = "https://data.example.org/datasets/0123456789abcdef/meta.json"


class Registrar:
    """A signer of a deployment and registrations, for one account on one chain."""

    def __init__(self, chain_id: int) -> None:
        self.account = Account.from_key(KEY)
        self._chain_id = chain_id
        self._nonce = 0

    def deployment(self) -> str:
        """Return the signed transaction that deploys the contract."""
        return self._sign({"data": json.loads(ARTIFACT.read_text())["bytecode"], "gas": 6_000_000})

    def registration(self, contract: str) -> str:
        """Return a signed registration with a 60-byte URI and two hashes; each call returns a new one."""
        number = self._nonce.to_bytes(32, "big")
        message: tuple[object, ...] = (self.account.address, number, number, URI, bytes(32), [], 2**40)
        types = ["(address,bytes32,bytes32,string,bytes32,(uint256,uint24)[],uint64)", "bytes"]
        return self._sign(
            {"to": str(Address.parse(contract)), "data": REGISTER + encode(types, [message, b""]), "gas": 200_000}
        )

    def _sign(self, fields: dict[str, Any]) -> str:
        fees = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9}
        transaction = {"type": 2, "chainId": self._chain_id, "nonce": self._nonce, "value": 0} | fees | fields
        self._nonce += 1
        return "0x" + bytes(self.account.sign_transaction(transaction).raw_transaction).hex()


def run() -> Iterator[Figure]:
    """Yield the figures. Takes about a minute."""
    written: list[float] = []
    written_by_peer: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            written.append(_written(Path(folder)))
        written_by_peer.append(_written_by_peer()[0])
    ours, peers = statistics.median(written), statistics.median(written_by_peer)
    yield Figure(
        name="chain: registrations durable on disk",
        value=round(ours, 1),
        unit="registrations/s",
        peer="eth-tester, in memory",
        peer_value=round(peers, 1),
        ratio=round(ours / peers, 2),
        goal=">= 50",
        met=ours >= 50,
    )
    yield from _read_back()
    yield from _read_beside_peer()


def _written(folder: Path) -> float:
    chain = EmbeddedChain.open(folder, Address.parse(Account.from_key(KEY).address))
    registrar, contract = _deployed(chain)
    signed = [registrar.registration(contract) for _ in range(WRITTEN)]
    started = time.perf_counter()
    for raw in signed:
        last = chain.request("eth_sendRawTransaction", [raw])
    receipt = _receipt(chain, last)
    seconds = time.perf_counter() - started
    assert receipt["status"] == "0x1"
    chain.close()
    return WRITTEN / seconds


def _written_by_peer() -> tuple[float, EthereumTester, str]:
    registrar = Registrar(131277322940537)
    state = PyEVMBackend.generate_genesis_state(num_accounts=1, overrides={"balance": 10**27})
    balance = next(iter(state.values()))
    backend = PyEVMBackend(genesis_state={Address.parse(registrar.account.address): balance})
    tester = EthereumTester(backend, auto_mine_transactions=True)
    deployed = tester.get_transaction_receipt(tester.send_raw_transaction(registrar.deployment()))
    contract: str = deployed["contract_address"]
    signed = [registrar.registration(contract) for _ in range(WRITTEN_BY_PEER)]
    started = time.perf_counter()
    for raw in signed:
        last = tester.send_raw_transaction(raw)
    seconds = time.perf_counter() - started
    assert tester.get_transaction_receipt(last)["status"] == 1
    return WRITTEN_BY_PEER / seconds, tester, contract


def _read_back() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        relayer = Address.parse(Account.from_key(KEY).address)
        chain = EmbeddedChain.open(Path(folder), relayer)
        registrar, contract = _deployed(chain)
        for _ in range(READ):
            last = chain.request("eth_sendRawTransaction", [registrar.registration(contract)])
        _receipt(chain, last)
        chain.close()

        rates: list[float] = []
        for _ in range(ROUNDS):
            chain = EmbeddedChain.open(Path(folder), relayer)
            started = time.perf_counter()
            found = chain.request("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest", "address": contract}])
            seconds = time.perf_counter() - started
            assert len(found) == 2 * READ
            rates.append(len(found) / seconds)
            chain.close()
    rate = statistics.median(rates)
    yield Figure(
        name="chain: events read back from disk, just opened",
        value=round(rate),
        unit="events/s",
        goal=">= 2000",
        met=rate >= 2000,
    )


def _read_beside_peer() -> Iterator[Figure]:
    chain = EmbeddedChain.in_memory(Address.parse(Account.from_key(KEY).address))
    registrar, contract = _deployed(chain)
    for _ in range(BLOCKS_READ):
        chain.request("eth_sendRawTransaction", [registrar.registration(contract)])
    _, tester, peers_contract = _written_by_peer()
    events: dict[str, list[float]] = {"ours": [], "peer": []}
    blocks: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(ROUNDS):
        found, seconds = _timed(lambda: chain.request("eth_getLogs", [{"fromBlock": "0x0", "address": contract}]))
        assert len(found) == 2 * BLOCKS_READ
        events["ours"].append(len(found) / seconds)
        found, seconds = _timed(lambda: tester.get_logs(from_block=0, to_block="latest", address=peers_contract))
        assert len(found) == 2 * WRITTEN_BY_PEER
        events["peer"].append(len(found) / seconds)
        _, seconds = _timed(
            lambda: [chain.request("eth_getBlockByNumber", [hex(n), True]) for n in range(1, BLOCKS_READ + 1)]
        )
        blocks["ours"].append(BLOCKS_READ / seconds)
        _, seconds = _timed(lambda: [tester.get_block_by_number(n, True) for n in range(1, BLOCKS_READ + 1)])
        blocks["peer"].append(BLOCKS_READ / seconds)
    chain.close()
    for name, unit, rates in (("events", "events/s", events), ("blocks", "blocks/s", blocks)):
        ours, peers = statistics.median(rates["ours"]), statistics.median(rates["peer"])
        yield Figure(
            name=f"chain: {name} read, a registration a block",
            value=round(ours),
            unit=unit,
            peer="eth-tester",
            peer_value=round(peers, 1),
            ratio=round(ours / peers, 1),
        )


def _deployed(chain: Chain) -> tuple[Registrar, str]:
    registrar = Registrar(int(chain.request("eth_chainId"), 16))
    receipt = _receipt(chain, chain.request("eth_sendRawTransaction", [registrar.deployment()]))
    return registrar, receipt["contractAddress"]


def _receipt(chain: Chain, transaction_hash: str) -> dict[str, Any]:
    while True:
        receipt: dict[str, Any] | None = chain.request("eth_getTransactionReceipt", [transaction_hash])
        if receipt is not None:
            return receipt
        time.sleep(0.005)


def _timed(action: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = action()
    return result, time.perf_counter() - started
