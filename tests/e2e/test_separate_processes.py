"""Gateways, relayers and indexers as separate processes, on one PostgreSQL database and one chain."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from registry.base.primitives import Address
from registry.base.tls import tls_context
from registry.chain.rpc import RpcChain
from registry.relay.tables import LEASES
from registry.storage import open_storage
from scripts.faults.load import AMPLE, Load
from scripts.faults.oracle import Verdict, judge
from scripts.faults.ports import free_port
from tests.fixtures.chains import StartAnvil
from tests.fixtures.commands import TDR
from tests.fixtures.waiting import PATIENCE, eventually

pytestmark = pytest.mark.long

RELAYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""The key of anvil's first account."""
ENVIRONMENT = {"TDR_FINALITY": "2", "TDR_POLL_SECONDS": "0.2", "TDR_LEASE_SECONDS": "4", **AMPLE}


@dataclass
class Part:
    """A `tdr gateway`, `tdr relayer` or `tdr indexer`.

    Args:
        role: Which of them.
        data: Its data folder; its log is beside it.
        shared: The options that say which chain and which database.
    """

    role: str
    data: Path
    shared: tuple[str, ...]
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self.role == "relayer" and not (key := self.data / "relayer.key").exists():
            key.touch(0o600)
            key.write_text(RELAYER_KEY)
        self.log = self.data.with_name(f"{self.data.name}-{self.role}.log")
        self._process = self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _start(self) -> subprocess.Popen[bytes]:
        command: list[str | Path] = [TDR, self.role, "--data", self.data, "--port", str(self.port), *self.shared]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, env=os.environ | ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def is_up(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/v1/health/live", trust_env=False, verify=tls_context()).is_success
        except httpx.TransportError:
            return False

    def answers_reads(self) -> bool:
        return httpx.get(f"{self.url}/v1/datasets", trust_env=False, verify=tls_context()).status_code == HTTPStatus.OK

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        self._process = self._start()

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)


@dataclass
class House:
    """All processes on one chain and one database.

    Args:
        folder: For their data.
        rpc_url: The chain.
        database: The database.
    """

    folder: Path
    rpc_url: str
    database: str
    parts: list[Part] = field(default_factory=list)

    def start(self, role: str, data: str) -> Part:
        part = Part(role, self.folder / data, ("--rpc", self.rpc_url, "--database", self.database))
        self.parts.append(part)
        return part

    def load(self, gateway: Part, seed: str) -> Load:
        """Return a load that is sent through a gateway."""
        eventually(gateway.is_up)
        found = httpx.get(f"{gateway.url}/v1/deployment", trust_env=False).json()
        self.contracts = {name: Address.parse(item["address"]) for name, item in found["contracts"].items()}
        return Load([gateway.url], found["chainId"], self.contracts, seed)

    def judge(self, *loads: Load) -> Verdict:
        """What has become of all that was acknowledged, once nothing is missing any more."""
        chain = RpcChain([self.rpc_url])
        acknowledged = [item for load in loads for item in load.acknowledged]
        assert acknowledged
        verdicts: list[Verdict] = []

        def is_settled() -> bool:
            verdicts.append(judge(chain, self.contracts, acknowledged, self.database))
            return not verdicts[-1].lost and not verdicts[-1].gaps

        try:
            eventually(is_settled)
        finally:
            chain.close()
        return verdicts[-1]

    def index_is_right(self) -> bool:
        """Whether the index is the fold of the chain; after the indexers have stopped."""
        command: list[str | Path] = [TDR, "index", "check", "--data", self.folder / "check", "--rpc", self.rpc_url]
        done = subprocess.run([*command, "--database", self.database], check=False, capture_output=True, text=True)
        return done.stdout.startswith("EQUAL")

    def holder(self) -> str:
        """The data folder of the relayer that works, by its name."""
        storage = open_storage(self.database)
        with storage.read() as connection:
            name: str = connection.execute(select(LEASES.c.holder)).scalar_one()
        storage.close()
        return name.rpartition("/")[2]


@pytest.fixture
def house(tmp_path: Path, start_anvil: StartAnvil, postgresql_url: str) -> Iterator[House]:
    anvil, url = start_anvil("--block-time", "1", "--order", "fifo")
    found = House(tmp_path, url, postgresql_url)
    yield found
    for part in found.parts:
        part.kill()
    anvil.kill()


def test_any_part_may_be_killed_and_the_others_go_on(house: House) -> None:
    """R1, R2, R4: on one data folder, as the units and the compose file have it; each dies by SIGKILL under load."""
    relayer, indexer, gateway = (house.start(role, "data") for role in ("relayer", "indexer", "gateway"))
    load = house.load(gateway, "one")
    # An indexer that is up may have indexed nothing yet; only what was there can go on.
    eventually(gateway.answers_reads)
    load.start(2)
    for part in (relayer, indexer):
        before = len(load.acknowledged)
        part.kill()
        eventually(lambda before=before: len(load.acknowledged) > before + 2)  # type: ignore[misc]
        assert gateway.answers_reads()
        part.start_again()
        eventually(part.is_up)
    gateway.kill()
    before = len(load.acknowledged)
    gateway.start_again()
    eventually(lambda: len(load.acknowledged) > before + 2)
    load.stop()
    verdict = house.judge(load)
    assert (verdict.lost, verdict.duplicated, verdict.gaps) == (0, 0, 0)
    assert load.refused == []
    assert [part.stop() for part in house.parts] == [0, 0, 0]
    assert house.index_is_right()


def test_two_gateways_and_two_relayers_on_one_key_make_no_gap_and_no_duplicate(house: House) -> None:
    """R1, R2, R3: one relayer works, the other takes over; a message sent through both gateways has one receipt."""
    relayers = {data: house.start("relayer", data) for data in ("first", "second")}
    house.start("indexer", "first")
    gateways = [house.start("gateway", "first") for _ in range(2)]
    loads = [house.load(gateway, "the same owners with the same messages") for gateway in gateways]
    for relayer in relayers.values():
        eventually(relayer.is_up)
    for load in loads:
        load.start(2)
    for _ in range(2):
        killed = house.holder()
        relayers[killed].kill()
        eventually(lambda killed=killed: house.holder() != killed)  # type: ignore[misc]
        relayers[killed].start_again()
        eventually(relayers[killed].is_up)
    stopped = house.holder()
    assert relayers[stopped].stop() == 0
    eventually(lambda: house.holder() != stopped)
    # A gateway that is told to stop answers what it has taken.
    assert gateways[0].stop() == 0
    before = len(loads[1].acknowledged)
    eventually(lambda: len(loads[1].acknowledged) > before + 2)
    for load in loads:
        load.stop()
    verdict = house.judge(*loads)
    assert (verdict.lost, verdict.duplicated, verdict.gaps) == (0, 0, 0)
    first, second = ({item.message: item.receipt_id for item in load.acknowledged} for load in loads)
    assert [load.refused for load in loads] == [[], []]
    both = first.keys() & second.keys()
    assert both
    assert {message: first[message] for message in both} == {message: second[message] for message in both}
