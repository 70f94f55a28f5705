"""Kills real node processes under load, breaks their chain's answers, reorganises the chain; then counts.

    python -m scripts.chaos --kills 100 --seed 1
    python -m scripts.chaos --kills 200 --seed 1 --database postgresql --kill-database
    python -m scripts.chaos --kills 200 --seed 1 --chain embedded

Owners sign and send; a gateway that keeps dying acknowledges. When the faults stop, everything that was acknowledged
must be on the chain, once. The oracle reads the chain itself, past node and proxy. The result is printed and written
to chaos-results.json; the exit code is 1 if anything was lost, done twice, or left out.

What is seeded: the faults' kinds, the reorganisations' depths, the messages, the moments of the kills. What is not: how
the operating system interleaves the processes. SIGKILL does not test fsync: the page cache survives it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from registry.chain.client import ChainUnavailable
from registry.chain.rpc import RpcChain
from registry.errors import Unavailable
from registry.primitives import Address
from scripts.faults.load import Load
from scripts.faults.oracle import Verdict, judge
from scripts.faults.proxy import FaultProxy
from scripts.faults.reorgs import Reorganiser
from scripts.postgresql import PostgreSQLServer

ROOT = Path(__file__).parents[1]
ANVIL = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
RELAYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
CLIENTS = 3
FAULT_RATE = 0.12
SECONDS_A_REORGANISATION = 2.0
LONGEST_DRAIN = 180.0
FINALITY = 70
"""Blocks: more than the deepest reorganisation."""
TDR = [str(Path(sys.executable).with_name("tdr"))]


@dataclass(frozen=True, slots=True)
class Results:
    """What is written to chaos-results.json."""

    kills: int
    databaseKills: int  # noqa: N815 - the names are those of the file
    faultedCalls: int  # noqa: N815
    faultKinds: dict[str, int]  # noqa: N815
    reorgs: int
    acknowledged: int
    onChain: int  # noqa: N815
    failed: int
    refused: int
    lost: int
    duplicated: int
    gaps: int
    drainSeconds: float  # noqa: N815
    indexEqualsRebuild: bool  # noqa: N815
    seconds: float
    seed: int

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, done twice or left out."""
        return not (self.lost or self.duplicated or self.gaps) and self.indexEqualsRebuild


class NodeProcess:
    """`tdr up` in a process of its own, killed and started again.

    Args:
        folder: For its data and its log.
        database: The database's URL.
        rpc_url: The chain; None: its own, embedded.
    """

    def __init__(self, folder: Path, database: str, rpc_url: str | None) -> None:
        port = _free_port()
        self.url = _url(port)
        self._data = ["--data", str(folder / "data"), "--database", database]
        self._command = [*TDR, "up", *self._data, "--port", str(port), *(["--rpc", rpc_url] if rpc_url else [])]
        (folder / "data").mkdir()
        key = folder / "data" / "relayer.key"
        key.touch(0o600)
        key.write_text(RELAYER_KEY)
        self._environment = os.environ | {
            "TDR_FINALITY": "finalized" if rpc_url is None else str(FINALITY),
            "TDR_POLL_SECONDS": "0.2",
            "TDR_RPC_TIMEOUT_SECONDS": "3",
        }
        self._log = (folder / "node.log").open("ab")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def kill(self) -> None:
        """SIGKILL, and a new process."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = self._start()

    def revive(self) -> None:
        """A new process if the present one has ended by itself, as a supervisor would do."""
        if self._process.poll() is not None:
            self._process = self._start()

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return httpx.get(f"{self.url}/v1/health/live", timeout=1.0).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """SIGTERM, and the end."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def index_is_right(self, rpc_url: str | None) -> bool:
        """Whether the index equals the fold of the chain, by `tdr index check`."""
        command = [*TDR, "index", "check", *self._data, *(["--rpc", rpc_url] if rpc_url else [])]
        return (
            subprocess.run(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                check=False,
            ).returncode
            == 0
        )


@dataclass(frozen=True, slots=True)
class Options:
    """What to do."""

    kills: int
    seed: int
    embedded: bool
    postgresql: bool
    kill_database: bool
    folder: Path


def run(options: Options) -> Results:
    """The whole of it."""
    started = time.monotonic()
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_postgresql()) if options.postgresql else None
        database = server.create() if server else f"sqlite:///{options.folder}/data/registry.db"
        anvil_port = None if options.embedded else stack.enter_context(_anvil())
        proxy = None if anvil_port is None else FaultProxy(_free_port(), anvil_port, options.seed)
        node = NodeProcess(options.folder, database, proxy.url if proxy else None)
        stack.callback(node.stop)
        _until(node.is_up, 60.0, "the node does not start", node.revive)
        deployment = httpx.get(f"{node.url}/v1/deployment").json()
        contracts = {name: Address.parse(item["address"]) for name, item in deployment["contracts"].items()}
        chain = RpcChain([f"{node.url}/rpc" if anvil_port is None else _url(anvil_port)], timeout=30.0)
        stack.callback(chain.close)

        load = Load(node.url, deployment["chainId"], contracts, options.seed)
        load.start(CLIENTS)
        reorganiser = None
        if proxy and anvil_port is not None:
            proxy.rate = FAULT_RATE
            lowest = int(chain.request("eth_blockNumber"), 16)
            reorganiser = Reorganiser(_url(anvil_port), options.seed, SECONDS_A_REORGANISATION, lowest)
        try:
            database_kills = _kill(options, chance, node, server)
        finally:
            load.stop()
            if reorganiser:
                reorganiser.stop()
        if proxy:
            proxy.stop_faults()
        stopped = time.monotonic()
        verdict, drain_seconds = _drain(chain, contracts, load, database, node, stopped)
        node.stop()
        equal = node.index_is_right(None if anvil_port is None else _url(anvil_port))
    return Results(
        kills=options.kills,
        databaseKills=database_kills,
        faultedCalls=proxy.faulted.total() if proxy else 0,
        faultKinds={kind.value: count for kind, count in sorted(proxy.faulted.items())} if proxy else {},
        reorgs=reorganiser.count if reorganiser else 0,
        acknowledged=len(load.acknowledged),
        onChain=verdict.on_chain,
        failed=verdict.failed,
        refused=len(load.refused),
        lost=verdict.lost,
        duplicated=verdict.duplicated,
        gaps=verdict.gaps,
        drainSeconds=round(drain_seconds, 1),
        indexEqualsRebuild=equal,
        seconds=round(time.monotonic() - started, 1),
        seed=options.seed,
    )


def _kill(options: Options, chance: random.Random, node: NodeProcess, server: PostgreSQLServer | None) -> int:
    """Kills the node at random moments of its life, also while it starts; says how often the database died."""
    database_kills = 0
    for number in range(options.kills):
        # Half of the lives end soon, the others are given the time to do something.
        if chance.random() < 0.5:
            _while_starting(node, chance.uniform(0.0, 3.0))
        else:
            _until(node.is_up, 30.0, "the node does not come back", node.revive)
            time.sleep(chance.uniform(0.0, 2.0))
        if options.kill_database and server:
            server.stop("immediate")
            time.sleep(chance.uniform(0.0, 1.0))
            server.start()
            database_kills += 1
        node.kill()
        if (number + 1) % 20 == 0:
            print(f"{number + 1} kills", file=sys.stderr, flush=True)
    return database_kills


def _while_starting(node: NodeProcess, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        node.revive()
        time.sleep(0.05)


def _drain(
    chain: RpcChain,
    contracts: Mapping[str, Address],
    load: Load,
    database: str,
    node: NodeProcess,
    since: float,
) -> tuple[Verdict, float]:
    """Waits until nothing is missing, or for too long; gives the verdict and the seconds it took."""
    while True:
        node.revive()
        try:
            verdict = judge(chain, contracts, load.acknowledged, database)
        except (ChainUnavailable, Unavailable):
            verdict = None
        seconds = time.monotonic() - since
        if seconds > LONGEST_DRAIN or (verdict and not (verdict.lost or verdict.gaps)):
            if verdict is None:
                raise SystemExit("the chain or the database does not answer after the faults have stopped")
            return verdict, seconds
        time.sleep(0.5)


@contextlib.contextmanager
def _anvil() -> Iterator[int]:
    port = _free_port()
    process = subprocess.Popen(
        [ANVIL, "--port", str(port), "--silent", "--hardfork", "prague", "--block-time", "1", "--order", "fifo"],
        stdin=subprocess.DEVNULL,
    )
    probe = RpcChain([_url(port)], timeout=2.0)

    def answers() -> bool:
        try:
            probe.request("eth_chainId")
        except ChainUnavailable:
            return False
        return True

    _until(answers, 20.0, "anvil does not start")
    probe.close()
    yield port
    process.kill()
    process.wait()


@contextlib.contextmanager
def _postgresql() -> Iterator[PostgreSQLServer]:
    server = PostgreSQLServer()
    yield server
    server.remove()


def _until(
    condition: Callable[[], bool], seconds: float, complaint: str, meanwhile: Callable[[], None] | None = None
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{complaint} within {seconds:.0f} s")
        if meanwhile:
            meanwhile()
        time.sleep(0.1)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def main() -> None:
    """Reads the command line, runs, prints and writes the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chain", choices=["anvil", "embedded"], default="anvil")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kill-database", action="store_true", help="kill PostgreSQL with each kill of the node")
    parser.add_argument("--results", type=Path, default=ROOT / "chaos-results.json")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the node's data and log")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tdr-chaos-"))
    options = Options(
        given.kills, given.seed, given.chain == "embedded", given.database == "postgresql", given.kill_database, folder
    )
    results = run(options)
    given.results.write_text(json.dumps(asdict(results), indent=1) + "\n")
    for name, value in asdict(results).items():
        print(f"{name:20} {value}")
    if given.keep or not results.is_good:
        print(f"{'folder':20} {folder}")
    else:
        shutil.rmtree(folder)
    sys.exit(0 if results.is_good else 1)


if __name__ == "__main__":
    main()
