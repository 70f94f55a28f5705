"""The short form of `make chaos`; the long one and its figures are in docs/assurance.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
SEEDS = (1, 2, 3)
NO_VERDICT = 2
"""anvil itself lost blocks: that says nothing of the node. The next seed is tried; without any verdict a test fails."""


def results_of(tmp_path: Path, *options: str) -> dict[str, Any]:
    file = tmp_path / "results.json"
    for seed in SEEDS:
        run = subprocess.run(
            [sys.executable, "-m", "scripts.chaos", "--seed", str(seed), "--results", str(file), *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != NO_VERDICT:
            break
    assert file.exists(), run.stderr
    sys.stderr.write(run.stderr)  # pytest shows it where the test fails.
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def assert_nothing_is_amiss(results: dict[str, Any]) -> None:
    assert {name: results[name] for name in ("lost", "duplicated", "gaps", "failed")} == {
        "lost": 0,
        "duplicated": 0,
        "gaps": 0,
        "failed": 0,
    }
    assert results["onChain"] == results["acknowledged"] > 0
    assert results["indexEqualsRebuild"] is True


def test_nodes_killed_amid_faults_and_reorganisations_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """R1, R2, R4: a whole node and one in three processes on one anvil behind proxies that misbehave."""
    results = results_of(tmp_path, "--kills", "6", "--nodes", "3")
    assert_nothing_is_amiss(results)
    assert results["kills"] == 6
    assert results["faultedCalls"] > 0
    assert results["reorgs"] > 0


@pytest.mark.parametrize(
    ("options", "database_kills"),
    [
        pytest.param(["--chain", "embedded"], 0, id="embedded chain"),
        pytest.param(["--database", "postgresql", "--kill-database"], 3, id="two nodes on one key, PostgreSQL killed"),
    ],
)
def test_other_nodes_when_killed_lose_and_repeat_nothing(
    tmp_path: Path, options: list[str], database_kills: int
) -> None:
    """R1, R2, R4, with the services that the node depends on killed too."""
    results = results_of(tmp_path, "--kills", "3", "--nodes", "1", *options)
    assert_nothing_is_amiss(results)
    assert results["databaseKills"] == database_kills
