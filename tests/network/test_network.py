"""The whole way on a real network: geth, Clique, three validators of which one dies, the default settings."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.base.primitives import Address
from scripts.network.validators import CAP_SECONDS, Network, wait_for
from tests.conformance.second import VERIFIER, node_binary
from tests.fixtures.commands import yes
from tests.fixtures.nodes import NodeProcess, Tdr

pytestmark = pytest.mark.long

REQUEST = re.compile(r"Send at least ([0-9.]+) ether to (0x[0-9a-fA-F]{40})\. The relayer then continues")
WRITES = 3
DEPTH = 12
"""The blocks on top that make a block final by default."""


@dataclass(frozen=True)
class Registered:
    """A folder, its dataset's id, and the block of its registration."""

    files: Path
    dataset: str
    height: int


def make_files(folder: Path, number: int) -> Path:
    """A folder unlike that of any other number."""
    made = folder / f"数据 {number}"
    made.mkdir()
    (made / "a.csv").write_text(f"{number}\n")
    return made


def fund(network: Network, node: NodeProcess) -> None:
    """Send the amount that the node's log line asks for."""
    found = wait_for(lambda: REQUEST.search(node.log) if node.data.exists() else None, "the node to ask for money")
    network.send(Address.parse(found[2]), round(float(found[1]) * 10**18))


def health(node: NodeProcess) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{node.url}/v1/health", trust_env=False).json()
    return answer


def start_funded(network: Network, node: NodeProcess) -> None:
    """Start a node without money, and send it the amount that it asks for."""
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(node.start)
        try:
            fund(network, node)
            started.result(CAP_SECONDS)
        except BaseException:
            if node.process is not None:
                node.process.kill()  # Else the thread would wait for ever.
            raise


def register(tdr: Tdr, folder: Path, number: int, *options: str) -> Registered:
    """Register a folder unlike that of any other number."""
    files = make_files(folder, number)
    done = yes(tdr("register", files, "--name", f"企鹅 {number}", "--key", "owner", "--json", *options))
    return Registered(files, done["datasetId"], done["blockNumber"])


def register_while_a_validator_dies(network: Network, tdr: Tdr, folder: Path) -> list[Registered]:
    """Register several folders at once; the validator that the node talks to is killed in the middle."""
    second = network.validators[1]
    with ThreadPoolExecutor(WRITES) as pool:
        written = [pool.submit(register, tdr, folder, number) for number in range(WRITES)]
        wait(written, CAP_SECONDS, FIRST_COMPLETED)
        second.kill()  # It may have transactions that no other node has.
        second.start()
        network.connect()
        return [one.result(CAP_SECONDS) for one in written]


def export_at_final(network: Network, node: NodeProcess, tdr: Tdr, dataset: str, bundle: Path) -> None:
    """Export evidence as of the node's last final block; a validator must have the same block."""
    final = network.validators[2].request("eth_getBlockByNumber", hex(health(node)["finalBlock"]), False)
    at = datetime.fromtimestamp(int(final["timestamp"], 16), UTC).isoformat()
    made = yes(tdr("export", dataset, "-o", bundle, "--at", at, "--json"))
    assert made["asOfBlockHash"] == final["hash"]


def test_a_node_on_a_clique_network_with_the_settings_as_shipped(
    network: Network, tmp_path: Path, tdr_at: Callable[[str], Tdr]
) -> None:
    first, second, third = network.validators
    node = NodeProcess(tmp_path / "data", ("--rpc", second.url, "--rpc", first.url))
    bundle = tmp_path / "evidence.tdr.json"
    try:
        start_funded(network, node)
        assert len(REQUEST.findall(node.log)) == 1, node.log
        assert node.log.count("finality by depth") == 1, node.log
        assert health(node)["finality"] == {"by": "depth", "blocks": DEPTH}
        datasets = register_while_a_validator_dies(network, tdr_at(node.url), tmp_path)

        assert node.end(signal.SIGTERM) == 0
        node.options = ("--rpc", second.url, "--rpc", first.url)
        node.start()
        tdr = tdr_at(node.url)
        last = register(tdr, tmp_path, WRITES, "--wait", "final")
        datasets.append(last)

        def indexed() -> set[str]:
            return {item["datasetId"] for item in yes(tdr("list", "--json"))["items"]}

        wait_for(lambda: indexed() == {one.dataset for one in datasets}, "all writes to be in the index")
        wait_for(lambda: health(node)["finalBlock"] >= last.height, "the index to hold the last write for final")
        export_at_final(network, node, tdr, last.dataset, bundle)
        assert node.end(signal.SIGTERM) == 0
    finally:
        if node.process is not None:
            node.end(signal.SIGKILL)

    without_gateway = tdr_at("http://127.0.0.1:1")
    assert yes(without_gateway("index", "check", "--data", node.data, "--rpc", first.url, "--json"))["equal"]
    yes(without_gateway("verify", last.files, "--bundle", bundle, "--rpc", third.url, "--json"))
    command: list[str | Path] = [node_binary(), VERIFIER / "cli.mjs", bundle, last.files, "--rpc", third.url]
    second_verdict = subprocess.run(command, capture_output=True, text=True, timeout=CAP_SECONDS, check=False)
    assert second_verdict.returncode == 0, second_verdict
