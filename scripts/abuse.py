"""Strangers' load of every kind that once harmed others, beside honest owners, on a real node.

    python -m scripts.abuse --seconds 600 --seed 1           the long run; times are judged
    python -m scripts.abuse --seconds 45 --seed 1 --counts   the short one of CI: times are not judged

A victim registers a dataset whose metadata it keeps back, and one of many files that it publishes. Strangers then do
to it what scripts/strangers/kinds.py lists, each kind at its rate, from a process of their own, while honest owners
register, grant, revoke and fetch the victim's evidence. The table says what was measured, and whether it is within its
limit; abuse-results.json holds the same. Exit code 1 if anything is not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from scripts.demo import Node
from scripts.strangers.honest import Waits, work
from scripts.strangers.kinds import load
from scripts.strangers.target import Target
from scripts.strangers.victim import prepare

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "abuse-results.json"
MIB: Final = 2**20
MEMORY: Final = 500 * MIB
WRITE_SECONDS: Final = 1.0
EVIDENCE_SECONDS: Final = 2.0
DRAIN_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict.

    Args:
        name: What was measured.
        value: The figure.
        limit: Its limit, as text.
        is_met: Whether it is within the limit.
        is_time: Whether a slow machine alone can push it over.
    """

    name: str
    value: str
    limit: str
    is_met: bool
    is_time: bool = False


class Memory(threading.Thread):
    """Watches how much memory a process holds.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._done = threading.Event()
        self.highest = 0

    def run(self) -> None:
        """Look every tenth of a second."""
        while not self._done.wait(0.1):
            fields = dict(line.split(":", 1) for line in self._status.read_text().splitlines())
            self.highest = max(self.highest, int(fields["VmRSS"].split()[0]) * 1024)

    def stop(self) -> int:
        """Stop watching; return the most it held, in bytes."""
        self._done.set()
        self.join()
        return self.highest


def run(seconds: float, seed: int, files: int, folder: Path) -> tuple[dict[str, Counter[str]], list[Check]]:
    """Run the load.

    Returns:
        What came of the strangers' attempts by kind, and the verdict.
    """
    node = Node(folder / "node")
    node.start()
    try:
        target = prepare(node.url, seed, files)
        memory = Memory(node.pid)
        memory.start()
        context = multiprocessing.get_context("spawn")
        outcomes: multiprocessing.SimpleQueue[dict[str, Counter[str]]] = context.SimpleQueue()
        strangers = context.Process(target=_strangers, args=(target, seed, seconds, outcomes))
        strangers.start()
        waits = work(target, seed, seconds)
        attempts = outcomes.get()
        strangers.join()
        checks = [*_verdict(target, waits, attempts), _memory(memory.stop())]
    finally:
        node.stop()
    return attempts, checks


def _strangers(
    target: Target, seed: int, seconds: float, outcomes: multiprocessing.SimpleQueue[dict[str, Counter[str]]]
) -> None:
    outcomes.put(asyncio.run(load(target, seed, seconds)))


def _memory(highest: int) -> Check:
    return Check("memory of the node, MiB", f"{highest / MIB:.0f}", f"<= {MEMORY // MIB}", highest <= MEMORY)


def _verdict(target: Target, waits: Waits, attempts: Mapping[str, Counter[str]]) -> list[Check]:
    with httpx.Client(base_url=target.url, timeout=60.0) as http:
        unfinished = _unfinished(http, waits.receipts)
        shown = http.get(f"/v1/datasets/{target.small}").json()
    faults = sum(count for outcomes in attempts.values() for outcome, count in outcomes.items() if outcome == "500")
    inside = sum(len(bundle.record.events) - 1 + len(bundle.record.access) for bundle in waits.verified)
    secrets = json.dumps(target.metadata["name"])
    leaks = int(secrets in json.dumps(shown))
    return [
        Check("strangers' attempts", f"{sum(each.total() for each in attempts.values()):,}", "", True),
        Check("internal errors that strangers caused", str(faults), "0", faults == 0),
        Check("honest writes acknowledged", str(len(waits.receipts)), ">= 1", len(waits.receipts) >= 1),
        Check("honest requests refused", str(len(waits.refused)), "0", not waits.refused),
        Check("honest writes that did not end on the chain", str(unfinished), "0", unfinished == 0),
        Check("bundles of the victim, each verified", str(len(waits.verified)), ">= 1", len(waits.verified) >= 1),
        Check("strangers' acts in the victim's bundles", str(inside), "0", inside == 0),
        Check("documents of the victim shown against its will", str(leaks), "0", leaks == 0),
        *_times("honest write acknowledged", waits.writes, WRITE_SECONDS),
        *_times("evidence of the victim", waits.evidence, EVIDENCE_SECONDS),
    ]


def _times(name: str, waits: list[float], limit: float) -> list[Check]:
    ordered = sorted(waits) or [float("inf")]
    longest, median = ordered[-1], ordered[len(ordered) // 2]
    return [
        Check(f"{name}, median s", f"{median:.3f}", "", True),
        Check(f"{name}, longest s", f"{longest:.3f}", f"<= {limit:g}", longest <= limit, is_time=True),
    ]


def _unfinished(http: httpx.Client, receipts: list[str]) -> int:
    """Return how many receipts are neither mined nor final some time after the load."""
    end = time.monotonic() + DRAIN_SECONDS
    left = list(receipts)
    while left and time.monotonic() < end:
        left = [
            receipt
            for receipt in left
            if http.get(f"/v1/receipts/{receipt}", params={"wait": 5}).json()["status"] not in ("mined", "final")
        ]
    return len(left)


def main() -> int:
    """Run it and print the verdict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the load lasts")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the load; printed")
    parser.add_argument("--files", type=int, default=200_000, help="files of the victim's large dataset")
    parser.add_argument("--counts", action="store_true", help="print times, but do not judge them")
    options = parser.parse_args()
    console = Console()
    console.print(f"{options.seconds:g} s of strangers' load, seed {options.seed}, {options.files:,} files")
    with tempfile.TemporaryDirectory(prefix="abuse-") as folder:
        attempts, checks = run(options.seconds, options.seed, options.files, Path(folder))
    kinds = Table("kind of load", "attempts", "what came of them", title="What strangers did")
    for name, outcomes in attempts.items():
        kinds.add_row(name, f"{outcomes.total():,}", ", ".join(f"{key}: {n:,}" for key, n in outcomes.most_common()))
    console.print(kinds)
    verdict = Table("measured", "value", "limit", "met", title="What it did to others")
    for check in checks:
        is_judged = bool(check.limit) and not (options.counts and check.is_time)
        verdict.add_row(check.name, check.value, check.limit, ("yes" if check.is_met else "NO") if is_judged else "")
    console.print(verdict)
    RESULTS.write_text(
        json.dumps(
            {
                "seconds": options.seconds,
                "seed": options.seed,
                "files": options.files,
                "attempts": attempts,
                "checks": [
                    {"name": each.name, "value": each.value, "limit": each.limit, "met": each.is_met} for each in checks
                ],
            },
            indent=1,
        )
    )
    return int(any(not check.is_met and not (options.counts and check.is_time) for check in checks))


if __name__ == "__main__":
    sys.exit(main())
