"""One registry under test: its processes, the proxy before its chain, its load, and its verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from registry.base.errors import Unavailable
from registry.base.primitives import Address, keccak256
from registry.chain.client import ChainUnavailable
from registry.chain.rpc import RpcChain
from registry.node import Role
from registry.relay.signing import Signer
from scripts.faults.gate import Gate
from scripts.faults.load import AMPLE, Load
from scripts.faults.oracle import Verdict, is_indexed, judge, payloads_sent_twice
from scripts.faults.ports import free_port
from scripts.faults.processes import NodeProcess, url_of
from scripts.faults.proxy import FaultProxy

CLIENTS = 3
SECONDS_TO_START = 600.0
"""A wide limit, because of the faults and of other work on the machine."""
FINALITY = 70
"""The finality in blocks: more than the deepest reorganisation."""
BALANCE = 10**24


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a cell.

    Args:
        name: The cell's name, from which its relayer's key is derived.
        folder: The folder for its data.
        database: The database's URL.
        roles: The role of each process. Several whole nodes share the key and have separate data folders.
        seed: The seed of its faults, its load and its kills.
        anvil: The chain's port; None means an embedded chain.
        gate: The gate before anvil.
    """

    name: str
    folder: Path
    database: str
    roles: tuple[Role, ...]
    seed: int
    anvil: int | None
    gate: Gate


class Cell:
    """A running registry.

    Args:
        plan: Its plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.name = plan.name
        self.kills = 0
        self._chance = random.Random(f"{plan.seed} {plan.name}")
        self._database = plan.database
        self._anvil = plan.anvil
        self._head: int | None = None
        seed = self._chance.randrange(2**32)
        self.proxy = None if plan.anvil is None else FaultProxy(free_port(), plan.anvil, plan.gate, seed)
        key = keccak256(f"relayer {plan.name}".encode())
        self._relayer = Signer(key).address
        if plan.anvil is not None:
            with closing(RpcChain([url_of(plan.anvil)])) as chain:
                chain.request("anvil_setBalance", [str(self._relayer), hex(BALANCE)])
        is_shared = len(set(plan.roles)) > 1
        self._processes = [
            NodeProcess(
                _data(plan.folder / (plan.name if is_shared else f"{plan.name}-{number}"), key),
                plan.database,
                role,
                self._settings(),
            )
            for number, role in enumerate(plan.roles)
        ]
        gateways = [process for process in self._processes if Role.GATEWAY in process.role.parts]
        for process in gateways:
            until(process.is_up, SECONDS_TO_START, f"{plan.name} does not start", self.revive)
        oracle = f"{gateways[0].url}/rpc" if plan.anvil is None else url_of(plan.anvil)
        self._oracle = RpcChain([oracle], timeout=300.0)
        deployment = httpx.get(f"{gateways[0].url}/v1/deployment", trust_env=False).json()
        self._contracts = {name: Address.parse(item["address"]) for name, item in deployment["contracts"].items()}
        urls = [process.url for process in gateways]
        self.load = Load(urls, deployment["chainId"], self._contracts, f"{plan.seed} {plan.name}")
        self.load.start(CLIENTS)

    def _settings(self) -> dict[str, str]:
        common = {"TDR_POLL_SECONDS": "0.2", "TDR_RPC_TIMEOUT_SECONDS": "3", "TDR_LEASE_SECONDS": "3"}
        if self.proxy is None:
            return common
        return common | AMPLE | {"TDR_FINALITY": str(FINALITY), "TDR_RPC_URLS": self.proxy.url}

    def kill_one(self) -> None:
        """Kill one of the processes at a random moment of its life, also while it starts."""
        process = self._chance.choice(self._processes)
        # Half of the processes are killed soon, the others have time to do something.
        if self._chance.random() < 0.5:
            self._live(self._chance.uniform(0.0, 1.0))
        else:
            until(process.is_up, SECONDS_TO_START, f"{self.name} does not restart", self.revive)
            self._live(self._chance.expovariate(1.0))
        process.kill()
        self.kills += 1

    def _live(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.revive()
            time.sleep(0.05)

    def revive(self) -> None:
        """Restart the processes that have ended."""
        for process in self._processes:
            process.revive()

    def is_drained(self) -> bool:
        """Return whether no acknowledged message is missing, and the index has reached the height of the first call.

        Call it only after reorganisations have ended. An index that was stopped earlier may be at a block that is gone,
        and then cannot be compared with the chain.
        """
        self.revive()
        try:
            if self._head is None:
                self._head = int(self._oracle.request("eth_blockNumber"), 16)
            found = self._judge()
            return not (found.lost or found.gaps) and is_indexed(self._oracle, self._database, self._head)
        except (ChainUnavailable, Unavailable):
            return False

    def verdict(self) -> Verdict:
        """Return the verdict, including payloads that were sent twice."""
        found = self._judge()
        return replace(found, duplicated=found.duplicated + payloads_sent_twice(self._oracle, self._relayer))

    def _judge(self) -> Verdict:
        return judge(self._oracle, self._contracts, self.load.acknowledged, self._database)

    def stop(self) -> None:
        """Stop the processes."""
        for process in self._processes:
            process.stop()

    def stop_and_check(self) -> bool:
        """Stop the processes; return whether the index equals the fold of the chain."""
        self.stop()
        return self._processes[0].index_is_right(None if self._anvil is None else url_of(self._anvil))


def until(
    condition: Callable[[], bool], seconds: float, complaint: str, meanwhile: Callable[[], None] | None = None
) -> None:
    """Wait for a condition.

    Raises:
        SystemExit: The condition is not met in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{complaint} within {seconds:.0f} s")
        if meanwhile:
            meanwhile()
        time.sleep(0.1)


def _data(folder: Path, key: bytes) -> Path:
    path = folder / "relayer.key"
    if not path.exists():
        folder.mkdir(parents=True)
        path.touch(0o600)
        path.write_text(f"0x{key.hex()}")
    return folder
