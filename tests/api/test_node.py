"""Whole nodes as processes: locks, ports, kills, and no secrets in any output."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.server import serve
from registry.base.errors import Conflict, InvalidInput
from registry.base.primitives import Address
from registry.chain.client import ChainUnavailable
from registry.config import Settings
from registry.devchain.embedded import EmbeddedChain
from registry.node import Node, Role
from registry.node.key import create_relayer, load_relayer
from registry.node.worker import Worker
from tests.api.world import Gateway, manifest_of, open_node
from tests.fixtures.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from api.server import serve
from registry.config import Settings
serve(Settings(data=Path(sys.argv[1]), port=0, log_format="json", log_level="debug"),
      started=lambda node, url: print(url, flush=True))
"""


@contextmanager
def process(folder: Path, log: Path) -> Iterator[tuple[subprocess.Popen[str], Gateway]]:
    """A whole node with a chain of its own, as a process."""
    with log.open("a") as errors:
        started = subprocess.Popen(
            [sys.executable, "-c", START, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    assert started.stdout is not None
    try:
        url = started.stdout.readline().strip()
        assert url, log.read_text()
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            yield started, Gateway(_Remote(client), client)  # type: ignore[arg-type]
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


class _Remote:
    """The view of a node in another process: its deployment, over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        answer = client.get("/v1/deployment").json()
        self.chain_id = answer["chainId"]
        self._contracts = answer["contracts"]

    @property
    def deployment(self) -> _Remote:
        return self

    def address_of(self, contract: str) -> Address:
        return Address.parse(self._contracts[contract]["address"])


@pytest.mark.long
def test_a_killed_node_comes_back_with_everything_and_a_stopped_one_ends_in_order(tmp_path: Path) -> None:
    """R1: acknowledged writes exist after any failure. R10: the log contains no secrets."""
    folder, log = tmp_path / "data", tmp_path / "log"
    private = manifest_of(birds=b"1\n").salted()
    with process(folder, log) as (first, gateway):
        settled = gateway.settle(gateway.registration(content_root=private.root))
        message = gateway.registration()
        accepted = gateway.send(message).json()
        signature = gateway.signature(message)
        gateway.http.post("/v1/datasets", json=gateway.body(message, manifest={"salt": private.entries[0].salt.hex()}))  # type: ignore[union-attr]
        first.send_signal(signal.SIGKILL)
        first.wait()
    with process(folder, log) as (second, gateway):
        final = gateway.http.get(f"/v1/receipts/{accepted['id']}", params={"wait": 30, "until": "final"}).json()
        assert final["status"] == "final"
        assert gateway.http.get(f"/v1/receipts/{settled['id']}").json()["status"] == "final"
        for dataset_id in (settled["subject"]["id"], accepted["subject"]["id"]):
            found = gateway.http.get(f"/v1/datasets/{dataset_id}", params={"min_block": final["blockNumber"]})
            assert found.status_code == 200
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE) == 0
    written = log.read_text()
    assert "node stopped" in written
    key = (folder / "relayer.key").read_text().strip().removeprefix("0x")
    assert key not in written
    assert private.entries[0].salt is not None
    assert private.entries[0].salt.hex() not in written
    assert signature[2:] not in written
    assert (folder / "relayer.key").stat().st_mode & 0o777 == 0o600


def test_two_nodes_on_one_data_folder_are_refused(tmp_path: Path) -> None:
    with open_node_on_disk(tmp_path), pytest.raises(Conflict, match="Another node uses the data folder"):
        Node.open(Settings(data=tmp_path))


def test_a_port_that_is_taken_is_told_before_anything_is_started(tmp_path: Path, gateway: Gateway) -> None:
    port = gateway.http.base_url.port
    assert port is not None
    with pytest.raises(Conflict, match=f"Port {port} "):
        serve(Settings(data=tmp_path / "new", port=port))
    assert not (tmp_path / "new").exists()


def test_a_database_of_another_chain_is_refused(tmp_path: Path) -> None:
    with open_node(tmp_path) as node:
        database = node.settings.database
    other = tmp_path / "other"
    with pytest.raises(Conflict, match="belongs to chain"):
        Node.open(Settings.model_validate({"data": other, "database_url": database}))


def test_a_chain_whose_key_is_gone_is_refused_and_no_key_is_made(tmp_path: Path) -> None:
    with open_node_on_disk(tmp_path):
        pass
    (tmp_path / "relayer.key").unlink()
    with pytest.raises(Conflict, match="relayer's key"):
        Node.open(Settings(data=tmp_path))
    assert not (tmp_path / "relayer.key").exists()


def test_a_part_of_a_node_needs_a_chain_that_others_reach(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="separate relayer"):
        Node.open(Settings(data=tmp_path), Role.RELAYER)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "relayer.key"
    signer = create_relayer(path)
    assert load_relayer(path, None).address == signer.address
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        load_relayer(path, None)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    create_relayer(tmp_path / "relayer.key")
    with pytest.raises(Conflict):
        create_relayer(tmp_path / "relayer.key")
    assert [path.name for path in tmp_path.iterdir()] == ["relayer.key"]


@pytest.mark.parametrize("content", ["", "0x12", "not hex " * 8, "{}", "00" * 32])
def test_a_file_that_holds_no_key_is_refused_without_being_quoted(tmp_path: Path, content: str) -> None:
    """R10: an error about a key does not quote it."""
    path = tmp_path / "relayer.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InvalidInput) as caught:
        load_relayer(path, None)
    assert not content or content.strip() not in str(caught.value)


def test_a_worker_that_fails_is_shown_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.node.worker.FIRST_PAUSE", 0.05)
    runs: list[int] = []

    def fail_once(stop: threading.Event) -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise ZeroDivisionError("a fault of ours")
        stop.wait()

    worker = Worker("tester", fail_once)
    worker.start()
    eventually(lambda: len(runs) == 2)
    assert (len(runs), worker.restarts) == (2, 1)
    assert worker.fault == "The tester failed: ZeroDivisionError."
    worker.stop()
    worker.join()


def test_a_node_whose_chain_does_not_answer_says_that_it_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_node(tmp_path) as node:

        def unanswered(calls: object) -> object:
            raise ChainUnavailable("The node does not answer.")

        monkeypatch.setattr(node.chain, "batch", unanswered)
        health = node.health()
        assert not health.is_ready
        assert "The chain cannot be reached." in health.problems


@contextmanager
def open_node_on_disk(folder: Path) -> Iterator[Node]:
    with Node.open(Settings(data=folder)) as node:
        assert isinstance(node.chain, EmbeddedChain)
        yield node


def test_health_and_metrics_tell_the_same(gateway: Gateway) -> None:
    gateway.register()
    health = gateway.http.get("/v1/health").json()
    metrics = gateway.http.get("/metrics").text
    assert (health["status"], health["lagBlocks"]) == ("ready", 0)
    assert f"tdr_index_block {float(health['indexBlock'])}" in metrics
    assert 'tdr_http_answers_total{method="POST",route="/v1/datasets",status="202"}' in metrics
    assert gateway.http.get("/v1/health/ready").status_code == 200
    assert gateway.http.get("/v1/health/live").status_code == 204


def test_the_gateways_address_alone_leads_a_browser_to_the_page_that_verifies(gateway: Gateway) -> None:
    answer = gateway.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/verify")
    assert gateway.http.get("/verify").headers["content-type"].startswith("text/html")
