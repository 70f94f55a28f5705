"""The measurements of a run, their limits, and their output."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table

from scripts.strangers.honest import Waits

MIB: Final = 2**20
MEMORY: Final = 500 * MIB
WRITE_SECONDS: Final = 1.0
EVIDENCE_SECONDS: Final = 2.0
DRAIN_SECONDS: Final = 120.0

Attempts = Mapping[str, Counter[str]]
"""The outcomes of the strangers' attempts by kind."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict.

    Args:
        name: The name of the measurement.
        value: The figure.
        limit: Its limit as text; empty if it has none.
        is_met: Whether it is within the limit.
        is_time: Whether a slow machine alone can push it over.
        cases: The counted cases, one per line.
    """

    name: str
    value: str
    limit: str = ""
    is_met: bool = True
    is_time: bool = False
    cases: tuple[str, ...] = ()


class Memory(threading.Thread):
    """A thread that measures the memory of a process and its children; shared memory counts once.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._done = threading.Event()
        self.highest: list[int] = [0]

    def run(self) -> None:
        """Measure several times a second."""
        while not self._done.wait(0.2):
            self.highest = max(self.highest, list(map(_held, [self._pid, *_children(self._pid)])), key=sum)

    def stop(self) -> Check:
        """Stop measuring; return the maximum."""
        self._done.set()
        self.join()
        held = sum(self.highest)
        parts = " + ".join(f"{each / MIB:.0f}" for each in self.highest)
        return Check("memory of the node, MiB", f"{held / MIB:.0f} = {parts}", f"<= {MEMORY // MIB}", held <= MEMORY)


def _held(pid: int) -> int:
    """Return the memory of a process in bytes, including its share of shared memory; 0 if it has ended."""
    try:
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields.get("Pss", "0 kB").split()[0]) * 1024


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def none_of(name: str, count: int, cases: Sequence[str] = ()) -> Check:
    """Return a check that requires a count of zero."""
    return Check(name, str(count), "0", count == 0, cases=tuple(cases))


def some_of(name: str, count: int) -> Check:
    """Return a check that requires a count above zero."""
    return Check(name, str(count), ">= 1", count >= 1)


def of_attempts(attempts: Attempts) -> list[Check]:
    """Return the checks of the strangers' attempts."""
    faults = sum(count for outcomes in attempts.values() for outcome, count in outcomes.items() if outcome == "500")
    return [
        Check("strangers' attempts", f"{sum(each.total() for each in attempts.values()):,}"),
        none_of("internal errors that strangers caused", faults),
    ]


def of_honest(http: httpx.Client, waits: Waits) -> list[Check]:
    """Return the checks of the honest owners' work; wait until their writes are on the chain."""
    return [
        some_of("honest writes acknowledged", len(waits.receipts)),
        none_of("honest requests refused", len(waits.refused), waits.refused),
        none_of("honest writes that did not end on the chain", unfinished(http, waits.receipts)),
    ]


def of_waits(waits: Waits) -> list[Check]:
    """Return the checks of the times that honest owners waited."""
    return [
        *_times("honest write acknowledged", waits.writes, WRITE_SECONDS),
        *_times("evidence of the victim", waits.evidence, EVIDENCE_SECONDS),
        *_times("the victim's events, asked of the chain", waits.audits, EVIDENCE_SECONDS),
    ]


def _times(name: str, waits: list[float], limit: float) -> list[Check]:
    ordered = sorted(waits) or [float("inf")]
    longest, median = ordered[-1], ordered[len(ordered) // 2]
    place = f"{waits.index(longest) + 1} of {len(waits)}" if waits else "none"
    return [
        Check(f"{name}, median s", f"{median:.3f}"),
        Check(f"{name}, longest s", f"{longest:.3f} ({place})", f"<= {limit:g}", longest <= limit, is_time=True),
    ]


def unfinished(http: httpx.Client, receipts: Sequence[str]) -> int:
    """Return the number of receipts that are neither mined nor final some time after the load."""
    end = time.monotonic() + DRAIN_SECONDS
    left = list(receipts)
    while left and time.monotonic() < end:
        left = [
            receipt
            for receipt in left
            if http.get(f"/v1/receipts/{receipt}", params={"wait": 5}).json()["status"] not in ("mined", "final")
        ]
    return len(left)


def tell(
    attempts: Attempts,
    checks: Sequence[Check],
    results: Path,
    options: Mapping[str, Any],
    *,
    times_count: bool,
    as_json: bool,
) -> bool:
    """Print a run's tables and write its results.

    Args:
        attempts: The outcomes of the strangers' attempts.
        checks: The name of the measurement.
        results: The file to write.
        options: The options of the run.
        times_count: Whether times are judged.
        as_json: Whether to print the results as JSON instead of tables.

    Returns:
        Whether everything judged is within its limit.
    """
    lines = [
        {"name": each.name, "value": each.value, "limit": each.limit, "met": each.is_met, "cases": each.cases}
        for each in checks
    ]
    written = json.dumps({**options, "attempts": attempts, "checks": lines}, indent=1)
    results.write_text(written)
    if as_json:
        print(written)
    else:
        _print_tables(attempts, checks, times_count)
    return all(check.is_met or (check.is_time and not times_count) for check in checks)


def _print_tables(attempts: Attempts, checks: Sequence[Check], times_count: bool) -> None:
    console = Console()
    kinds = Table("kind of load", "attempts", "outcomes", title="Attempts of strangers")
    for name, outcomes in attempts.items():
        kinds.add_row(name, f"{outcomes.total():,}", ", ".join(f"{key}: {n:,}" for key, n in outcomes.most_common()))
    console.print(kinds)
    verdict = Table("measured", "value", "limit", "met", title="Effects on others")
    for check in checks:
        is_judged = bool(check.limit) and (times_count or not check.is_time)
        verdict.add_row(check.name, check.value, check.limit, ("yes" if check.is_met else "NO") if is_judged else "")
    console.print(verdict)
    for check in checks:
        for case in check.cases:
            console.print(f"{check.name}: {case}", markup=False)
