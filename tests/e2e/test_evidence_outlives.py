"""Evidence outlives the gateway's database: exported bundles stay valid, and the same are exported again."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.fixtures.commands import yes
from tests.fixtures.nodes import NodeProcess, Tdr, running


def test_bundles_stay_valid_when_the_database_is_lost_and_new_ones_are_equal(
    tmp_path: Path, tdr_at: Callable[[str], Tdr], files: Path
) -> None:
    def export(tdr: Tdr, name: str, *options: object) -> tuple[Path, str]:
        made = yes(tdr("export", dataset, "-o", tmp_path / name, "--json", *options))
        return tmp_path / name, str(made["asOfBlockHash"])

    with running(NodeProcess(tmp_path / "data")) as node:
        tdr = tdr_at(node.url)
        dataset = yes(tdr("register", files, "--name", "x", "--key", "owner", "--json"))["datasetId"]
        before, block = export(tdr, "before.tdr.json")
        time = datetime.fromtimestamp(json.loads(before.read_bytes())["record"]["block"]["time"], UTC).isoformat()
        contracts = httpx.get(f"{node.url}/v1/deployment").json()["contracts"]
        assert node.end(signal.SIGTERM) == 0
        lost = list((tmp_path / "data").glob("registry.db*"))
        assert lost
        for file in lost:
            file.unlink()
        node.environment = {
            "TDR_CONTRACTS": ",".join(f"{name}={contract['address']}" for name, contract in contracts.items()),
        }
        node.start()
        tdr = tdr_at(node.url)
        yes(tdr("verify", files, "--bundle", before, "--block-hash", block, "--json"))
        after, same_block = export(tdr, "after.tdr.json", "--at", time)
        assert same_block == block
        old, new = (json.loads(bundle.read_bytes()) for bundle in (before, after))
        assert new.pop("content") is None, "the documents were in the database; whoever has them can deposit them again"
        assert old.pop("content")["manifest"]
        assert new == old
