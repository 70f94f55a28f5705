"""The long forms of all that is random, each with a seed of its own, which is printed; CI runs the short forms.

    python -m scripts.assurance                          twenty minutes for each part
    python -m scripts.assurance --seconds 3600           an hour for each part
    python -m scripts.assurance --only walks,fuzz --seconds 60

A part of tests is run again and again until its time is over, each time with another seed; a part that began goes on
to its end. Every line names the command that repeats it. Exit code 1 if anything failed; the other parts run
nevertheless.
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
"""The exit code of scripts.chaos if anvil itself lost blocks: nothing was found out."""
WALKS: Final = (
    "tests/contracts/test_model.py",
    "tests/index/test_schedules.py",
    "tests/witness/test_history.py",
)
FUZZ: Final = (
    "tests/conformance/test_fuzz.py",
    "tests/conformance/test_attachment.py",
    "tests/conformance/test_vectors.py",
    "tests/certificate/test_attachment.py",
    "tests/evidence/test_rlp.py",
    "tests/evidence/test_trie.py",
    "tests/evidence/test_vectors.py",
    "tests/unit/test_canonical.py",
    "tests/unit/test_manifest_format.py",
)

Command = tuple[dict[str, str], list[str]]
"""Variables beside the environment, and the arguments of Python."""


def tests(files: tuple[str, ...], seconds: float) -> Iterator[Command]:
    """Give commands that run tests with a new seed each, until the time is over; one at least."""
    deadline = time.monotonic() + seconds
    while True:
        seed = str(new_seed())
        arguments = ["-m", "pytest", "-q", "-n", "2", f"--hypothesis-seed={seed}", *files]
        yield {"TEST_SEED": seed}, arguments
        if time.monotonic() >= deadline:
            return


def walks(seconds: float) -> Iterator[Command]:
    """Random histories of the contracts, the index and the witness, each beside a model of it."""
    return tests(WALKS, seconds)


def fuzz(seconds: float) -> Iterator[Command]:
    """Bundles, notes, PDFs, JSON and RLP that nobody made, read by both verifiers."""
    return tests(FUZZ, seconds)


def kills(seconds: float) -> Iterator[Command]:
    """Nodes killed under load, on each kind of chain and database."""
    for options in ([], ["--chain", "embedded"], ["--database", "postgresql", "--kill-database"]):
        limit = ["--kills", "1000000", "--seconds", f"{seconds / 3:g}"]
        yield {}, ["-m", "scripts.chaos", *limit, "--seed", str(new_seed()), *options]


def disks(seconds: float) -> Iterator[Command]:
    """Disks that fail, and disks that are full, at random writes."""
    for kind in ("EIO", "ENOSPC"):
        limit = ["--seconds", f"{seconds / 2:g}"]
        yield {}, ["-m", "scripts.disk_faults", "--kind", kind, *limit, "--seed", str(new_seed())]


def abuse(seconds: float) -> Iterator[Command]:
    """Strangers' load of every kind beside honest owners."""
    yield {}, ["-m", "scripts.abuse", "--seconds", f"{seconds:g}", "--seed", str(new_seed())]


def abuse_paid(seconds: float) -> Iterator[Command]:
    """The same where gas costs money."""
    limit = ["--network", "paid", "--seconds", f"{seconds:g}"]
    yield {}, ["-m", "scripts.abuse", *limit, "--seed", str(new_seed())]


def mutants(seconds: float) -> Iterator[Command]:
    """Faults put into the contracts, in a random order."""
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
    """Return a seed that no run has had before, in all likelihood."""
    return random.SystemRandom().randrange(2**32)


def shown(command: Command) -> str:
    """Return a command as it is typed in a shell."""
    variables, arguments = command
    assignments = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    return " ".join([*assignments, "python", shlex.join(arguments)])


def run(part: str, seconds: float) -> Iterator[tuple[str, str]]:
    """Run a part; give each command as it is typed, and what came of it."""
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
    """Run the parts, then say what came of each command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each part")
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
