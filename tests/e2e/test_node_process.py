"""A node as a process: how it starts, ends, and is killed, and what it prints."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from registry.keys.signer import Signer
from tests.e2e.registering import register
from tests.fixtures.commands import refused, yes
from tests.fixtures.nodes import PASSWORD, NodeProcess, Tdr, running

UNKNOWN = "0x" + "ab" * 32


def test_a_node_that_others_cannot_reach_names_the_setting_that_certificates_need(node: NodeProcess) -> None:
    (line,) = [line for line in node.said if "TDR_PUBLIC_URL" in line]
    assert "others" in line


def test_no_password_and_no_key_is_ever_printed(
    tdr: Tdr, node: NodeProcess, files: Path, keys: dict[str, Signer]
) -> None:
    """R10, for the command line and the node's log."""
    register(tdr, files)
    said = node.log + "".join(node.said)
    for done in (tdr("keys", "list"), tdr("keys", "list", "--json"), tdr("show", UNKNOWN), tdr("config", "show")):
        said += done.out + done.err
    assert PASSWORD not in said
    for signer in keys.values():
        assert signer.secret().hex() not in said


@pytest.mark.long
def test_a_killed_node_knows_everything_after_its_restart(
    tmp_path: Path, tdr_at: Callable[[str], Tdr], files: Path
) -> None:
    """R1: acknowledged writes exist, whenever the node is killed."""
    with running(NodeProcess(tmp_path / "data")) as node:
        tdr = tdr_at(node.url)
        waited = register(tdr, files)
        unwaited = register(tdr, files, "--no-wait")
        node.end(signal.SIGKILL)
        assert "tdr up" in refused(tdr("show", waited["datasetId"]))
        node.start()
        tdr = tdr_at(node.url)
        assert yes(tdr("show", waited["datasetId"], "--json"))["head"] == waited["head"]
        ended = yes(tdr("receipt", unwaited["receipt"], "--wait", 30, "--json"))
        assert ended["status"] in ("mined", "final")
        assert node.end(signal.SIGTERM) == 0
    tdr = tdr_at(node.url)
    checked = tdr("index", "check", "--data", node.data, "--json")
    assert checked.json["equal"] is True
    rebuilt = yes(tdr("index", "rebuild", "--data", node.data, "--json"))
    assert rebuilt["fingerprint"] == checked.json["index"]


def test_two_nodes_do_not_share_a_data_folder(node: NodeProcess, tdr: Tdr) -> None:
    assert "data folder" in refused(tdr("up", "--data", node.data, "--port", 0)).lower()
    assert tdr("index", "check", "--data", node.data).code == 2


def test_a_port_that_is_taken_is_told_before_anything_is_made(node: NodeProcess, tdr: Tdr, tmp_path: Path) -> None:
    port = node.url.rpartition(":")[2]
    assert port in refused(tdr("up", "--data", tmp_path / "new", "--port", port))
    assert not (tmp_path / "new").exists()


def test_ctrl_c_ends_a_node_in_order(tmp_path: Path) -> None:
    with running(NodeProcess(tmp_path / "data")) as node:
        assert node.end(signal.SIGINT) == 0
        assert "Traceback" not in node.log


def test_a_node_says_where_it_is_and_what_to_do_next(node: NodeProcess) -> None:
    said = "".join(node.said)
    health = httpx.get(f"{node.url}/v1/health").json()
    for word in (node.url, str(health["chainId"]), str(node.data), "tdr register"):
        assert word in said
