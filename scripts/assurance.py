"""Run the long forms of all randomised tests, each with its own printed seed. CI runs the short forms.

    python -m scripts.assurance                          twenty minutes for each part
    python -m scripts.assurance --seconds 3600           an hour for each part
    python -m scripts.assurance --only walks,fuzz --seconds 60

Each part is repeated with new seeds until its time is over; a run that has begun is finished.
Every line shows the command that repeats it. Exit code 1 if anything failed; the other parts run in any case.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SECONDS: Final = 1200.0
NO_VERDICT: Final = 2
"""The exit code of scripts.chaos if anvil itself lost blocks, so that there is no result."""
WALKS: Final = (
    "tests/contracts/test_model.py",
    "tests/index/test_schedules.py",
    "tests/index/test_sync.py",
    "tests/timers/test_schedule.py",
    "tests/witness/test_history.py",
)
FUZZ: Final = (
    "tests/conformance/test_fuzz.py",
    "tests/conformance/test_attachment.py",
    "tests/conformance/test_vectors.py",
    "tests/certificate/test_attachment.py",
    "tests/evidence/test_note.py",
    "tests/evidence/test_rlp.py",
    "tests/evidence/test_trie.py",
    "tests/evidence/test_vectors.py",
    "tests/unit/test_canonical.py",
    "tests/unit/test_manifest_format.py",
    "tests/api/test_openapi.py",
)

Command = tuple[dict[str, str], list[str]]
"""Additional environment variables, and the arguments of Python."""


def tests(files: tuple[str, ...], seconds: float) -> Iterator[Command]:
    """Yield commands that run tests with a new seed each, until the time is over; at least one."""
    deadline = time.monotonic() + seconds
    while True:
        seed = str(new_seed())
        arguments = ["-m", "pytest", "-q", "-n", "2", f"--hypothesis-seed={seed}", *files]
        yield {"TEST_SEED": seed}, arguments
        if time.monotonic() >= deadline:
            return


def walks(seconds: float) -> Iterator[Command]:
    """Yield random histories of the contracts, the index, the timers and the witness, each compared with a model."""
    return tests(WALKS, seconds)


def fuzz(seconds: float) -> Iterator[Command]:
    """Yield random bundles, notes, PDFs, JSON and RLP, read by both verifiers."""
    return tests(FUZZ, seconds)


def kills(seconds: float) -> Iterator[Command]:
    """Yield runs that kill nodes under load, on each kind of chain and database."""
    for options in ([], ["--chain", "embedded"], ["--database", "postgresql", "--kill-database"]):
        limit = ["--kills", "1000000", "--seconds", f"{seconds / 3:g}"]
        yield {}, ["-m", "scripts.chaos", *limit, "--seed", str(new_seed()), *options]


def disks(seconds: float) -> Iterator[Command]:
    """Yield runs with failing and full disks at random writes."""
    for kind in ("EIO", "ENOSPC"):
        limit = ["--seconds", f"{seconds / 2:g}"]
        yield {}, ["-m", "scripts.disk_faults", "--kind", kind, *limit, "--seed", str(new_seed())]


def abuse(seconds: float) -> Iterator[Command]:
    """Yield runs of every kind of load by strangers, alongside honest owners."""
    yield {}, ["-m", "scripts.abuse", "--seconds", f"{seconds:g}", "--seed", str(new_seed())]


def abuse_paid(seconds: float) -> Iterator[Command]:
    """Yield runs of strangers' load where gas costs money."""
    limit = ["--network", "paid", "--seconds", f"{seconds:g}"]
    yield {}, ["-m", "scripts.abuse", *limit, "--seed", str(new_seed())]


def mutants(seconds: float) -> Iterator[Command]:
    """Yield runs with faults in the contracts, in a random order."""
    yield {}, ["-m", "scripts.mutants", "--seconds", f"{seconds:g}", "--seed", str(new_seed())]


PARTS: Final[Mapping[str, Callable[[float], Iterator[Command]]]] = {
    "walks": walks,
    "fuzz": fuzz,
    "kills": kills,
    "disks": disks,
    "abuse": abuse,
    "abuse-paid": abuse_paid,
    "mutants": mutants,
}


def new_seed() -> int:
    """Return a random seed."""
    return random.SystemRandom().randrange(2**32)


def shown(command: Command) -> str:
    """Return a command in the syntax of a shell."""
    variables, arguments = command
    assignments = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    return " ".join([*assignments, "python", shlex.join(arguments)])


def run(part: str, seconds: float) -> Iterator[tuple[str, str]]:
    """Run a part; yield each command with its outcome."""
    for command in PARTS[part](seconds):
        variables, arguments = command
        print(f"\n{part}: {shown(command)}", flush=True)
        started = time.monotonic()
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=os.environ | variables, check=False)
        took = f"{time.monotonic() - started:.0f} s"
        no_verdict = part == "kills" and done.returncode == NO_VERDICT
        fate = "passed" if done.returncode == 0 else "no verdict" if no_verdict else "FAILED"
        yield shown(command), f"{fate} after {took}"


def main() -> int:
    """Run the parts, then print the outcome of each command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="the time for each part")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, separated by commas: {', '.join(PARTS)}")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - PARTS.keys():
        parser.error(f"There is no part {', '.join(sorted(unknown))}. Choose from {', '.join(PARTS)}.")
    outcomes = [(part, *outcome) for part in parts for outcome in run(part, options.seconds)]
    print()
    for part, command, fate in outcomes:
        print(f"{part:10} {fate:24} {command}")
    return int(any(fate.startswith("FAILED") for _, _, fate in outcomes))


if __name__ == "__main__":
    sys.exit(main())
