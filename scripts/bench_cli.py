"""Compare the start of the command line with `python -c 'import web3'`, the minimum for a tool that loads web3.

Three commands that need no chain: `tdr verify --help`, `tdr --help`, and an offline check of a folder against its
manifest. web3 offers much more than these need; the comparison shows what loading it would cost.
Both sides run alternately in the same process run, each in a fresh interpreter; medians are compared.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from registry.manifest import hash_path
from scripts.figures import Figure

ROUNDS = 15
GOAL = 0.2
TDR = str(Path(sys.executable).with_name("tdr"))
DATASET = Path(__file__).resolve().parents[1] / "examples/penguins"


def run() -> Iterator[Figure]:
    """Yield the figures."""
    with tempfile.TemporaryDirectory(prefix="tdr-bench-") as folder:
        manifest = Path(folder) / "manifest.json"
        manifest.write_text(hash_path(DATASET).to_json())
        commands: dict[str, Sequence[str]] = {
            "tdr verify --help": [TDR, "verify", "--help"],
            "tdr --help": [TDR, "--help"],
            "offline hash check": [TDR, "verify", str(DATASET), "--manifest", str(manifest)],
        }
        peer = [sys.executable, "-c", "import web3"]
        ours: dict[str, list[float]] = {name: [] for name in commands}
        theirs: list[float] = []
        for _ in range(ROUNDS):
            theirs.append(_seconds(peer))
            for name, command in commands.items():
                ours[name].append(_seconds(command))
    peer_seconds = statistics.median(theirs)
    for name, times in ours.items():
        seconds = statistics.median(times)
        yield Figure(
            name=f"cli: {name}",
            value=round(1000 * seconds, 1),
            unit="ms",
            peer="python -c 'import web3'",
            peer_value=round(1000 * peer_seconds, 1),
            ratio=peer_seconds / seconds,
            goal=f"<= {GOAL}x",
            met=seconds <= GOAL * peer_seconds,
        )


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
