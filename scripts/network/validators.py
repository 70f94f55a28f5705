"""Three geth validators under Clique, each a process with its own folder and ports."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from registry.base.primitives import Address
from registry.chain.client import ChainUnavailable, RpcError
from registry.chain.rpc import RpcChain
from registry.keys.keystore import encrypt
from registry.keys.signer import Signer
from scripts.network import geth

VALIDATORS: Final = 3
PERIOD_SECONDS: Final = 1
GAS_LIMIT: Final = 30_000_000
ETHER: Final = 10**18
CAP_SECONDS: Final = 180.0
"""The longest wait for anything here: a guard against hanging, far above usual times."""
Found = TypeVar("Found")
_VANITY_BYTES, _SEAL_BYTES = 32, 65
_FORKS = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul")
_HTTP = re.compile(r"HTTP server started +endpoint=(\S+) auth=false")


def genesis(chain_id: int, validators: Sequence[Address], funded: Sequence[Address]) -> dict[str, Any]:
    """Return a genesis block for Clique, with all rules up to London. Source: EIP-225.

    Args:
        chain_id: The chain's id.
        validators: The accounts that may seal blocks.
        funded: Another account with a million ether; the validators have the same amount.
    """
    sealers = b"".join(sorted(map(bytes, validators)))
    return {
        "config": {
            "chainId": chain_id,
            **{f"{fork}Block": 0 for fork in (*_FORKS, "berlin", "london")},
            "clique": {"period": PERIOD_SECONDS, "epoch": 30_000},
        },
        "difficulty": "0x1",
        "gasLimit": hex(GAS_LIMIT),
        "extradata": f"0x{(bytes(_VANITY_BYTES) + sealers + bytes(_SEAL_BYTES)).hex()}",
        "alloc": {bytes(one).hex(): {"balance": hex(10**6 * ETHER)} for one in (*validators, *funded)},
    }


@dataclass
class Validator:
    """A validator. It takes free ports at each start, and names them in its log.

    Args:
        folder: The folder for its keys, chain and log.
        chain_id: The chain's id.
        signer: Its account.
        url: Its URL while it runs.
    """

    folder: Path
    chain_id: int
    signer: Signer = field(default_factory=Signer.random)
    url: str = ""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The log file of the current run."""
        return self.folder / "geth.log"

    def prepare(self, block: dict[str, Any]) -> None:
        """Write its key and create its chain."""
        keystore = self.folder / "keystore"
        keystore.mkdir(parents=True, mode=0o700)
        password = secrets.token_hex(16)
        (self.folder / "password").write_text(password)
        (keystore / "validator.json").write_text(json.dumps(encrypt(self.signer, password, work=2**10)))
        (self.folder / "genesis.json").write_text(json.dumps(block))
        command: list[str | Path] = [geth.path(), "init", "--datadir", self.folder, self.folder / "genesis.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=CAP_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"geth could not make the chain:\n{done.stderr}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        address = str(self.signer.address)
        command: list[str | Path] = [geth.path(), "--datadir", self.folder, "--networkid", str(self.chain_id)]
        command += ["--mine", "--miner.etherbase", address, "--miner.gaslimit", str(GAS_LIMIT)]
        command += ["--unlock", address, "--password", self.folder / "password", "--allow-insecure-unlock"]
        command += ["--nodiscover", "--nat", "none", "--port", "0", "--authrpc.port", "0", "--ipcdisable"]
        command += ["--http", "--http.port", "0", "--http.api", "eth,net,web3,admin,clique"]
        command += ["--syncmode", "full", "--gcmode", "archive", "--cache", "64"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.url = f"http://{wait_for(self._endpoint, f'{self.log} to say where geth listens')}"

    def kill(self) -> None:
        """End it with SIGKILL, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def request(self, method: str, *params: object) -> Any:
        """Send it one request. Raises as `registry.chain.client.Chain.request` does."""
        chain = RpcChain([self.url], timeout=CAP_SECONDS)
        try:
            return chain.request(method, params)
        finally:
            chain.close()

    def height(self) -> int:
        """Return the height of its newest block."""
        return int(self.request("eth_blockNumber"), 16)

    def _endpoint(self) -> str | None:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"geth ended at its start:\n{self.log.read_text()[-3000:]}")
        found = _HTTP.search(self.log.read_text())
        return None if found is None else found[1]


class Network:
    """The validators, connected to each other. Leaving the context ends them all.

    Args:
        folder: A new folder for their data.
        chain_id: The chain's id.
    """

    def __init__(self, folder: Path, chain_id: int = 20_777) -> None:
        self.chain_id = chain_id
        self.rich = Signer.random()
        """A funded account with a million ether, used by no validator."""
        self.validators = [Validator(folder / f"validator-{number + 1}", chain_id) for number in range(VALIDATORS)]

    def __enter__(self) -> Self:
        accounts = [validator.signer.address for validator in self.validators]
        block = genesis(self.chain_id, accounts, [self.rich.address])
        try:
            for validator in self.validators:
                validator.prepare(block)
                validator.start()
            self.connect()
            wait_for(lambda: self.validators[0].height() >= 2, "the validators to make blocks")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all validators."""
        for validator in self.validators:
            validator.kill()

    def connect(self) -> None:
        """Make every validator a peer of every other, and wait until they are."""
        nodes = {validator.url: validator.request("admin_nodeInfo")["enode"] for validator in self.validators}
        for validator in self.validators:
            for url, node in nodes.items():
                if url != validator.url:
                    validator.request("admin_addPeer", node)
        wait_for(
            lambda: all(int(one.request("net_peerCount"), 16) == VALIDATORS - 1 for one in self.validators),
            "the validators to find each other",
        )

    def send(self, to: Address, wei: int) -> None:
        """Send money from the first validator's account, and wait until it has arrived."""
        first = self.validators[0]
        transfer = {"from": str(first.signer.address), "to": str(to), "value": hex(wei)}
        transaction = first.request("eth_sendTransaction", transfer)
        wait_for(lambda: first.request("eth_getTransactionReceipt", transaction), "the money to arrive")


def wait_for(ask: Callable[[], Found | None], what: str) -> Found:
    """Ask until the answer is true, and return it. Errors of starting nodes are ignored.

    Raises:
        TimeoutError: The answer is not true within the cap.
    """
    deadline = time.monotonic() + CAP_SECONDS
    while True:
        try:
            found = ask()
        except (ChainUnavailable, RpcError):
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {CAP_SECONDS:g} s for {what}.")
        time.sleep(0.1)
