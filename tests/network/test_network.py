"""The whole way on a real network: geth, Clique, three validators of which one dies, the default settings."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from registry.base.primitives import Address
from scripts.network.validators import CAP_SECONDS, Network, wait_for
from tests.conformance.second import VERIFIER, node_binary
from tests.fixtures.commands import yes
from tests.fixtures.nodes import NodeProcess, Tdr

REQUEST = re.compile(r"send at least ([0-9.]+) ether to (0x[0-9a-fA-F]{40}), then it goes on by itself")
WRITES = 3
DEPTH = 12
"""The blocks on top that make a block final by default."""


def make_files(folder: Path, number: int) -> Path:
    """A folder unlike that of any other number."""
    made = folder / f"数据 {number}"
    made.mkdir()
    (made / "a.csv").write_text(f"{number}\n")
    return made


def fund(network: Network, node: NodeProcess) -> None:
    """Send what the node's one line asks for."""
    found = wait_for(lambda: REQUEST.search(node.log) if node.data.exists() else None, "the node to ask for money")
    network.send(Address.parse(found[2]), round(float(found[1]) * 10**18))


def health(node: NodeProcess) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{node.url}/v1/health", trust_env=False).json()
    return answer


def test_a_node_on_a_clique_network_with_the_settings_as_shipped(
    network: Network, tmp_path: Path, tdr_at: Callable[[str], Tdr]
) -> None:
    first, second, third = network.validators
    node = NodeProcess(tmp_path / "data", ("--rpc", second.url, "--rpc", first.url))
    try:
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(node.start)
            try:
                fund(network, node)
                started.result(CAP_SECONDS)
            except BaseException:
                if node.process is not None:
                    node.process.kill()  # Else the thread would wait for ever.
                raise
        assert len(REQUEST.findall(node.log)) == 1, node.log
        assert node.log.count("finality by depth") == 1, node.log
        assert health(node)["finality"] == {"by": "depth", "blocks": DEPTH}

        tdr = tdr_at(node.url)

        def register(number: int, *options: str) -> tuple[Path, str, int]:
            files = make_files(tmp_path, number)
            done = yes(tdr("register", files, "--name", f"企鹅 {number}", "--key", "owner", "--json", *options))
            return files, done["datasetId"], done["blockNumber"]

        with ThreadPoolExecutor(WRITES) as pool:
            written = [pool.submit(register, number) for number in range(WRITES)]
            wait(written, CAP_SECONDS, FIRST_COMPLETED)
            second.kill()  # It may have transactions that nobody else has.
            second.start()
            network.connect()
            datasets = [one.result(CAP_SECONDS) for one in written]

        assert node.end(signal.SIGTERM) == 0
        node.options = ("--rpc", second.url, "--rpc", first.url)
        node.start()
        tdr = tdr_at(node.url)
        datasets.append(register(WRITES, "--wait", "final"))

        def indexed() -> set[str]:
            return {item["datasetId"] for item in yes(tdr("list", "--json"))["items"]}

        wait_for(lambda: indexed() == {dataset for _, dataset, _ in datasets}, "all writes to be in the index")
        files, dataset, height = datasets[-1]
        wait_for(lambda: health(node)["finalBlock"] >= height, "the index to hold the last write for final")
        final = third.request("eth_getBlockByNumber", hex(health(node)["finalBlock"]), False)
        at = datetime.fromtimestamp(int(final["timestamp"], 16), UTC).isoformat()
        bundle = tmp_path / "evidence.tdr.json"
        made = yes(tdr("export", dataset, "-o", bundle, "--at", at, "--json"))
        assert made["asOfBlockHash"] == final["hash"]
        assert node.end(signal.SIGTERM) == 0
    finally:
        if node.process is not None:
            node.end(signal.SIGKILL)

    nobody = tdr_at("http://127.0.0.1:1")
    assert yes(nobody("index", "check", "--data", node.data, "--rpc", first.url, "--json"))["equal"]
    yes(nobody("verify", files, "--bundle", bundle, "--rpc", third.url, "--json"))
    command: list[str | Path] = [node_binary(), VERIFIER / "cli.mjs", bundle, files, "--rpc", third.url]
    second_verdict = subprocess.run(command, capture_output=True, text=True, timeout=CAP_SECONDS, check=False)
    assert second_verdict.returncode == 0, second_verdict
