"""Kill real node processes under load, falsify their chain's answers, reorganise the chain; then count.

    python -m scripts.chaos --kills 100 --seed 1
    python -m scripts.chaos --kills 200 --seed 1 --database postgresql --kill-database
    python -m scripts.chaos --kills 200 --seed 1 --chain embedded

Owners sign and send messages to a gateway that is killed again and again. When the faults stop, every acknowledged
message must have taken effect on the chain exactly once. The oracle reads the chain directly, not through node or
proxy. The result is printed and written to chaos-results.json. The exit code is 1 if anything was lost, done twice,
left out or refused, and 2 if there is no result because anvil itself lost blocks.

The seed determines the kinds of faults, the depths of reorganisations, the messages, and the moments of the kills. It
does not determine how the operating system interleaves the processes. SIGKILL does not test fsync, because the page
cache survives it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.chain.client import ChainUnavailable
from registry.chain.rpc import RpcChain
from registry.node import Role
from scripts.faults.anvil import anvil_command
from scripts.faults.cell import Cell, Plan, until
from scripts.faults.gate import Gate
from scripts.faults.miner import Miner
from scripts.faults.ports import free_port
from scripts.faults.processes import url_of
from scripts.postgresql import PostgreSQLServer

ROOT = Path(__file__).parents[1]
FAULT_RATE = 0.2
SECONDS_A_REORGANISATION = 0.4
SECONDS_UNTIL_DISTURBED = 300.0
LONGEST_DRAIN = 600.0
ANVIL_OPTIONS = ("--hardfork", "prague", "--no-mining", "--order", "fifo")
WHOLE: tuple[Role, ...] = (Role.ALL,)
TWINS = (Role.ALL, Role.ALL)
PARTS = (Role.GATEWAY, Role.RELAYER, Role.INDEXER)


@dataclass(frozen=True, slots=True)
class Results:
    """The content of chaos-results.json."""

    kills: int
    databaseKills: int  # noqa: N815 - the names are those of the file
    faultedCalls: int  # noqa: N815
    faultKinds: dict[str, int]  # noqa: N815
    reorgs: int
    reorgDepths: dict[str, int]  # noqa: N815
    acknowledged: int
    onChain: int  # noqa: N815
    failed: int
    refused: dict[str, int]
    lost: int
    duplicated: int
    gaps: int
    drainSeconds: float  # noqa: N815
    indexEqualsRebuild: bool  # noqa: N815
    seconds: float
    seed: int
    nodes: list[str]

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, done twice, left out or refused. All messages of the load should succeed."""
        is_complete = not (self.lost or self.duplicated or self.gaps or self.failed or self.refused)
        return is_complete and self.indexEqualsRebuild


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run."""

    kills: int
    seed: int
    nodes: int
    is_embedded: bool
    is_postgresql: bool
    kills_database: bool
    longest: float
    folder: Path


class Killer:
    """A thread per cell that kills processes, and the database if requested, until there were enough kills."""

    def __init__(self, options: Options, cells: list[Cell], server: PostgreSQLServer | None) -> None:
        self._options = options
        self._cells = cells
        self._server = server if options.kills_database else None
        self._deadline = time.monotonic() + options.longest
        self._lock = threading.Lock()
        self._begun = 0
        self.database_kills = 0
        self._faults: list[BaseException] = []

    def run(self) -> None:
        """Run until all kills are done.

        Raises:
            SystemExit: A process does not restart.
        """
        threads = [
            threading.Thread(target=self._kill, args=(cell,), name=cell.name, daemon=True) for cell in self._cells
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._faults:
            raise self._faults[0]

    def _kill(self, cell: Cell) -> None:
        try:
            while not self._faults and self._may_begin():
                if self._server is not None and cell is self._cells[0]:
                    self._server.crash()
                    self.database_kills += 1
                    self._server.start()
                cell.kill_one()
        except BaseException as error:
            self._faults.append(error)
            raise

    def _may_begin(self) -> bool:
        with self._lock:
            if self._begun >= self._options.kills or time.monotonic() > self._deadline:
                return False
            self._begun += 1
            if self._begun % 100 == 0:
                acknowledged = sum(len(cell.load.acknowledged) for cell in self._cells)
                print(f"{self._begun} kills, {acknowledged} acknowledged", file=sys.stderr, flush=True)
            return True


def run(options: Options) -> Results:
    """Run the whole test; return the results."""
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_postgresql()) if options.is_postgresql else None
        anvil = None if options.is_embedded else stack.enter_context(_anvil())
        gate = Gate()
        miner = None if anvil is None else Miner(url_of(anvil), gate, options.seed)
        if miner:
            stack.callback(miner.close)
        threads = stack.enter_context(ThreadPoolExecutor(options.nodes))
        cells = list(threads.map(Cell, _plans(options, server, anvil, gate)))
        for cell in cells:
            stack.callback(cell.stop)
        try:
            if miner:
                miner.begin_reorganising(SECONDS_A_REORGANISATION)
            for cell in cells:
                if cell.proxy:
                    cell.proxy.rate = FAULT_RATE
            killer = Killer(options, cells, server)
            killer.run()
            _until_disturbed(miner, cells)
        finally:
            _stop_load(miner, cells)
        faulted = _stop_faults(cells)
        drain_seconds = _drain(cells)
        verdicts = [cell.verdict() for cell in cells]
        equal = all(threads.map(Cell.stop_and_check, cells))
    return Results(
        kills=sum(cell.kills for cell in cells),
        databaseKills=killer.database_kills,
        faultedCalls=faulted.total(),
        faultKinds=dict(sorted(faulted.items())),
        reorgs=miner.depths.total() if miner else 0,
        reorgDepths=_by_range(miner.depths) if miner else {},
        acknowledged=sum(len(cell.load.acknowledged) for cell in cells),
        onChain=sum(verdict.on_chain for verdict in verdicts),
        failed=sum(verdict.failed for verdict in verdicts),
        refused=dict(Counter(reason for cell in cells for reason in cell.load.refused)),
        lost=sum(verdict.lost for verdict in verdicts),
        duplicated=sum(verdict.duplicated for verdict in verdicts),
        gaps=sum(verdict.gaps for verdict in verdicts),
        drainSeconds=round(drain_seconds, 1),
        indexEqualsRebuild=equal,
        seconds=round(time.monotonic() - started, 1),
        seed=options.seed,
        nodes=[cell.name for cell in cells],
    )


def _stop_load(miner: Miner | None, cells: Sequence[Cell]) -> None:
    """Let the owners stop, and the chain keep its blocks."""
    for cell in cells:
        cell.load.stop()
    if miner:
        miner.end_reorganising()


def _stop_faults(cells: Sequence[Cell]) -> Counter[str]:
    """Let the proxies pass everything on; return the numbers of calls that they answered wrongly, by kind."""
    faulted: Counter[str] = Counter()
    for cell in cells:
        if cell.proxy:
            cell.proxy.stop_faults()
            faulted.update({kind.value: count for kind, count in cell.proxy.faulted.items()})
    return faulted


def _until_disturbed(miner: Miner | None, cells: Sequence[Cell]) -> None:
    """Wait until blocks were taken back, calls answered wrongly, and messages acknowledged at least once.

    A short run may end before; a slow machine may need longer for the first message than for all kills.
    """

    def is_disturbed(cell: Cell) -> bool:
        cell.revive()
        return bool(cell.load.acknowledged) and (cell.proxy is None or cell.proxy.faulted.total() > 0)

    deadline = time.monotonic() + SECONDS_UNTIL_DISTURBED
    while not all([miner is None or miner.depths.total() > 0, *map(is_disturbed, cells)]):
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)


def _plans(options: Options, server: PostgreSQLServer | None, anvil: int | None, gate: Gate) -> Iterator[Plan]:
    """Return the plans: whole nodes and, on a shared chain or database, also split nodes and two nodes with one key."""
    for number in range(options.nodes):
        roles = WHOLE
        if server and anvil and number % 2 == 0:
            roles = TWINS
        elif anvil and number % 3 == 2:
            roles = PARTS
        name = f"{'-'.join(roles)}-{number}"
        folder = options.folder / name
        folder.mkdir()
        database = server.create() if server else f"sqlite:///{folder}/registry.db"
        yield Plan(name, folder, database, roles, options.seed, anvil, gate)


def _drain(cells: list[Cell]) -> float:
    """Wait until nothing is missing, with a limit; return the seconds."""
    since = time.monotonic()
    left = list(cells)
    while left and time.monotonic() - since < LONGEST_DRAIN:
        left = [cell for cell in left if not cell.is_drained()]
        if left:
            time.sleep(0.5)
    return time.monotonic() - since


def _by_range(depths: Counter[int]) -> dict[str, int]:
    """Return the number of reorganisations by the ranges 1, 2-3, 4-7, ... of their depths."""
    ranges: Counter[int] = Counter()
    for depth, count in depths.items():
        ranges[depth.bit_length() - 1] += count
    return {f"{2**power}-{2 ** (power + 1) - 1}": count for power, count in sorted(ranges.items())}


@contextlib.contextmanager
def _anvil() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(anvil_command(port, *ANVIL_OPTIONS), stdin=subprocess.DEVNULL)
    probe = RpcChain([url_of(port)], timeout=2.0)

    def answers() -> bool:
        try:
            probe.request("eth_chainId")
        except ChainUnavailable:
            return False
        return True

    try:
        with contextlib.closing(probe):
            until(answers, 60.0, "anvil does not start")
        ending = threading.Event()
        threading.Thread(target=_watch, args=(process, ending), name="anvil's end", daemon=True).start()
        yield port
        ending.set()
    finally:
        process.kill()
        process.wait()


def _watch(process: subprocess.Popen[bytes], ending: threading.Event) -> None:
    """End the run if anvil exits early."""
    code = process.wait()
    if not ending.is_set():
        print(f"anvil has ended by itself, with exit code {code}", file=sys.stderr)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)


@contextlib.contextmanager
def _postgresql() -> Iterator[PostgreSQLServer]:
    server = PostgreSQLServer()
    try:
        yield server
    finally:
        server.remove()


def _give_up(*_: object) -> None:
    raise ChainUnavailable("anvil has ended: no verdict.")


def main() -> None:
    """Read the command line, run the test, print and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the seed of the faults; printed")
    parser.add_argument("--nodes", type=int, default=3, help="the number of registries on one chain")
    parser.add_argument("--seconds", type=float, default=1e9, help="the time after which killing stops")
    parser.add_argument("--chain", choices=["anvil", "embedded"], default="anvil")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kill-database", action="store_true", help="kill PostgreSQL with each kill of the node")
    parser.add_argument("--results", type=Path, default=ROOT / "chaos-results.json")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the node's data and log")
    given = parser.parse_args()
    print(f"seed {given.seed}", file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="tdr-chaos-"))
    options = Options(
        given.kills,
        given.seed,
        given.nodes,
        given.chain == "embedded",
        given.database == "postgresql",
        given.kill_database,
        given.seconds,
        folder,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    signal.signal(signal.SIGUSR1, _give_up)
    try:
        results = run(options)
    except ChainUnavailable as error:
        print(f"No verdict: {error} The folder {folder} is kept.", file=sys.stderr)
        sys.exit(2)
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
