"""Compare the relay's throughput to anvil, at 1-second blocks, with web3.py.

Both send the same 10,000 registrations (signed by their owner, relayed by one key) to the same anvil, one after the
other. Ours are acknowledged messages in an SQLite database: the figure is from the first step of the relayer until all
receipts say `mined`, with every transaction stored before it is sent and every inclusion recorded. The peer is web3.py
as its documentation shows it for many transactions: it signs with eth-account and sends one after the other without
waiting, then waits for the receipts; it does not store anything, so it cannot survive a crash. It is measured with a
tenth of the writes, because its rate does not depend on their number.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator

from eth_account import Account
from eth_keys.datatypes import PrivateKey
from web3 import Web3

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, keccak256
from registry.chain.client import ChainUnavailable
from registry.chain.rpc import RpcChain
from registry.ethereum.eip712 import Domain
from registry.relay.deploy import ensure_deployed
from registry.relay.intake import accept
from registry.relay.prepared import PreparedTransaction, prepare
from registry.relay.receipts import Status
from registry.relay.relayer import Relayer
from registry.relay.settings import RelaySettings
from registry.relay.signing import Signer
from registry.relay.status import relay_status
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.messages import Registration
from registry.rooms.deployment import Deployment
from registry.storage import migrate, open_storage
from scripts.faults.anvil import anvil_command
from scripts.figures import Figure

RELAYER_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
PEER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
OWNER = PrivateKey(keccak256(b"owner"))
WRITES = 10_000
PEER_WRITES = 1_000
WINDOW = 4_000
PORT = 8599


def run() -> Iterator[Figure]:
    """Yield the figures of both."""
    anvil = subprocess.Popen(
        anvil_command(PORT, "--hardfork", "prague", "--gas-limit", "1000000000"),
        stdin=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{PORT}"
    chain = RpcChain([url], timeout=60.0)
    try:
        _wait(chain)
        with tempfile.TemporaryDirectory() as folder:
            storage = open_storage(f"sqlite:///{folder}/registry.db")
            migrate(storage)
            settings = RelaySettings(finality=10_000, window=WINDOW, poll_seconds=0.05, resend_seconds=30.0)
            signer = Signer(RELAYER_KEY)
            deployment = ensure_deployed(chain, storage, ROOMS, signer, settings, holder="bench")
            chain.request("evm_setIntervalMining", [1])
            peers = _web3(url, [_submission(deployment, -1 - number) for number in range(PEER_WRITES)])

            started = time.perf_counter()
            for number in range(WRITES):
                accept(storage, _submission(deployment, number), time.time())
            accepted = WRITES / (time.perf_counter() - started)

            relayer = Relayer(chain, storage, signer, deployment, settings, protocols=ROOMS.protocols, holder="bench")
            started = time.perf_counter()
            while relay_status(storage, signer.address, time.time(), 1e9).receipts[Status.MINED] < WRITES:
                if not relayer.step():
                    time.sleep(settings.poll_seconds)
            ours = WRITES / (time.perf_counter() - started)
            relayer.close()
            storage.close()
    finally:
        chain.close()
        anvil.kill()
        anvil.wait()
    ratio = ours / peers
    yield Figure(
        f"relay: {WRITES:,} registrations to anvil, 1-s blocks",
        ours,
        "writes/s",
        "web3.py, pipelined",
        peers,
        ratio,
        ">= 3x",
        ratio >= 3,
    )
    yield Figure("relay: acknowledgements, each committed on its own (SQLite)", accepted, "writes/s")


def _submission(deployment: Deployment, number: int) -> PreparedTransaction:
    message = Registration(
        owner=Address(OWNER.public_key.to_canonical_address()),
        content_root=Bytes32(keccak256(str(number).encode())),
        metadata_hash=ZERO_BYTES32,
        uri="ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55",
        salt=ZERO_BYTES32,
        sources=(),
        deadline=2**40,
    )
    domain = Domain(message.CONTRACT, deployment.chain_id, deployment.address_of("DatasetRegistry"))
    signature = OWNER.sign_msg_hash(message.digest(domain)).to_bytes()
    return prepare(message, signature[:64] + bytes([signature[64] + 27]), deployment, ROOMS.protocols)


def _web3(url: str, submissions: list[PreparedTransaction]) -> float:
    web3 = Web3(Web3.HTTPProvider(url))
    account = Account.from_key(PEER_KEY)
    nonce = web3.eth.get_transaction_count(account.address)
    chain_id = web3.eth.chain_id
    started = time.perf_counter()
    sent = []
    for position, submission in enumerate(submissions):
        signed = account.sign_transaction(
            {
                "type": 2,
                "chainId": chain_id,
                "nonce": nonce + position,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 10**9,
                "gas": submission.gas,
                "to": str(submission.contract),
                "data": submission.calldata,
            }
        )
        sent.append(web3.eth.send_raw_transaction(signed.raw_transaction))
    for transaction_hash in sent:
        receipt = web3.eth.wait_for_transaction_receipt(transaction_hash, timeout=60, poll_latency=0.05)
        assert receipt["status"] == 1
    return len(submissions) / (time.perf_counter() - started)


def _wait(chain: RpcChain) -> None:
    for _ in range(200):
        try:
            chain.request("eth_chainId")
        except ChainUnavailable:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("anvil did not start")
