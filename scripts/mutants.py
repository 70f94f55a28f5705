"""Put small faults into the contracts, one at a time, and run the contracts' tests: each must fail on each fault.

    python -m scripts.mutants                    all mutants; an hour or more on two cores
    python -m scripts.mutants --sample 20 --seed 7
    python -m scripts.mutants --seconds 600      as many as can be started in that time, in a random order
    python -m scripts.mutants --survivors        the survivors of the last run, after writing a test
    python -m scripts.mutants --list             only list them

A mutant is compiled with the settings of the release. Killed: a test failed. Equivalent: it has the same bytecode, or
mutation/equivalent.toml explains why no test can detect it. Invalid: it does not compile. Exit code 1 if any other
mutant survives. The tests of gas, of artifacts and of random histories are left out, because they would detect any
change, or detect it by chance. Results go to mutants-results.json.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

import solcx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from scripts.compile_contracts import ARTIFACTS, CONTRACTS, ROOT, SETTINGS, SOLC
from scripts.mutation.operators import Mutant, given_mutant, mutants_of

COMPILED_INTO: Final[dict[str, tuple[str, ...]]] = {
    "AccessGrants.sol": ("AccessGrants",),
    "AccessMessages.sol": ("AccessGrants",),
    "DatasetMessages.sol": ("DatasetRegistry",),
    "DatasetRegistry.sol": ("DatasetRegistry",),
    "Heads.sol": ("DatasetRegistry", "AccessGrants"),
    "SignedMessages.sol": ("DatasetRegistry", "AccessGrants"),
}
"""The shipped contracts that contain each file."""
TESTS: Final = {
    "AccessGrants": ("test_access.py", "test_access_histories.py", "test_signatures.py"),
    "DatasetRegistry": (
        "test_datasets.py",
        "test_erc721.py",
        "test_signatures.py",
        "test_access.py",
        "test_on_anvil.py",
    ),
}
"""The tests that must detect a fault in a contract, the likeliest first."""
TEST_SECONDS: Final = 900
EXPLAINED: Final = Path(__file__).parent / "mutation/equivalent.toml"
GIVEN: Final = Path(__file__).parent / "mutation/given.toml"
RESULTS: Final = ROOT / "mutants-results.json"

Key: TypeAlias = tuple[str, str, str, str]
"""File, text of the line, before, after."""


class Fate(StrEnum):
    """The outcome of a mutant."""

    KILLED = "killed"
    EQUIVALENT = "equivalent"
    INVALID = "invalid"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A mutant and its outcome.

    Args:
        mutant: The mutant.
        fate: The outcome.
        by: The test that killed it, or the reason why it is equivalent.
    """

    mutant: Mutant
    fate: Fate
    by: str = ""


def all_mutants() -> list[Mutant]:
    """Return every mutant of every file of the contracts, except interfaces, which have no code."""
    sources = _sources()
    output = _compile(sources, {"*": {"": ["ast"]}})
    made = [
        mutant for file, text in sources.items() for mutant in mutants_of(file, text, output["sources"][file]["ast"])
    ]
    given = [
        given_mutant(entry["file"], sources[entry["file"]], entry["before"], entry["after"])
        for entry in tomllib.loads(GIVEN.read_text())["mutant"]
    ]
    return given + made


def verdict_of(mutant: Mutant, folder: Path) -> Verdict:
    """Compile a mutant and run the tests on it.

    Args:
        mutant: The mutant.
        folder: A copy of the repository, whose artifacts are replaced.
    """
    contracts = COMPILED_INTO[Path(mutant.file).name]
    sources = _sources()
    sources[mutant.file] = mutant.applied(sources[mutant.file])
    try:
        output = _compile(sources, {_file_of(name): {name: ["evm.bytecode.object"]} for name in contracts})
    except solcx.exceptions.SolcError:
        return Verdict(mutant, Fate.INVALID)
    is_changed = False
    for name in ("AccessGrants", "DatasetRegistry"):
        artifact = json.loads((ARTIFACTS / f"{name}.json").read_text())
        if name in contracts:
            bytecode = f"0x{output['contracts'][_file_of(name)][name]['evm']['bytecode']['object']}"
            is_changed |= bytecode != artifact["bytecode"]
            artifact["bytecode"] = bytecode
        (folder / "registry/artifacts" / f"{name}.json").write_text(json.dumps(artifact))
    if not is_changed:
        return Verdict(mutant, Fate.EQUIVALENT, "the same bytecode")
    killer = _killer(folder, contracts)
    if killer is not None:
        return Verdict(mutant, Fate.KILLED, killer)
    reason = explanations().get(key_of(mutant, _sources()[mutant.file]))
    return Verdict(mutant, Fate.SURVIVED) if reason is None else Verdict(mutant, Fate.EQUIVALENT, reason)


def _killer(folder: Path, contracts: Sequence[str]) -> str | None:
    """Return the test that fails in a folder, or None if none does."""
    files = dict.fromkeys(f"tests/contracts/{name}" for contract in contracts for name in TESTS[contract])
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end within {TEST_SECONDS} s"
    if done.returncode == 0:
        return None
    if done.returncode != 1:
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0].split(" - ")[0].split(" ", 1)[1] if failed else "a test"


def explanations() -> dict[Key, str]:
    """Return the reason for each mutant of mutation/equivalent.toml why it is equivalent to the contract."""
    entries = tomllib.loads(EXPLAINED.read_text()).get("mutant", [])
    return {(entry["file"], entry["line"], entry["before"], entry["after"]): entry["reason"] for entry in entries}


def key_of(mutant: Mutant, source: str) -> Key:
    """Return the key of a mutant in mutation/equivalent.toml: file, text of the line, before, after.

    The line's number is left out, because it changes with every line above. A shorter key would also match other
    faults.
    """
    line = source.splitlines()[mutant.line - 1]
    return mutant.file, line.strip(), mutant.before.strip(), mutant.after.strip()


def _file_of(contract: str) -> str:
    """Return the file of a contract, relative to the repository."""
    (path,) = CONTRACTS.glob(f"*/{contract}.sol")
    return path.relative_to(ROOT).as_posix()


def _sources() -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted(CONTRACTS.glob("*/*.sol"))}


def _compile(sources: dict[str, str], selection: dict[str, Any]) -> dict[str, Any]:
    output: dict[str, Any] = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {**SETTINGS, "outputSelection": selection},
        },
        base_path=ROOT,
        solc_binary=SOLC,
    )
    return output


@contextmanager
def _copies(count: int) -> Iterator[SimpleQueue[Path]]:
    """Make copies of the repository, one per worker."""
    left_out = shutil.ignore_patterns(".git", ".venv*", "node_modules", "__pycache__", ".*_cache", ".hypothesis")
    with tempfile.TemporaryDirectory(prefix="mutants-") as parent:
        folders: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            folder = Path(parent) / str(number)
            shutil.copytree(ROOT, folder, ignore=left_out)
            (folder / "node_modules").symlink_to(ROOT / "node_modules")
            folders.put(folder)
        yield folders


def run(chosen: Sequence[Mutant], jobs: int, console: Console, seconds: float = math.inf) -> list[Verdict]:
    """Test mutants concurrently.

    Args:
        chosen: The mutants.
        jobs: The number of concurrent tests.
        console: The console for progress and survivors.
        seconds: The time after which no further mutant is started.

    Returns:
        The verdict on each mutant that was started.

    Raises:
        RuntimeError: The tests fail without any fault, or cannot be run.
    """
    with _copies(jobs) as folders:
        folder = folders.get()
        killer = _killer(folder, ("AccessGrants", "DatasetRegistry"))
        if killer is not None:
            raise RuntimeError(f"Without any fault, {killer} fails: fix that first.")
        folders.put(folder)

        deadline = time.monotonic() + seconds

        def one(mutant: Mutant) -> Verdict | None:
            if time.monotonic() >= deadline:
                return None
            folder = folders.get()
            try:
                verdict = verdict_of(mutant, folder)
            finally:
                folders.put(folder)
            if verdict.fate is Fate.SURVIVED:
                console.print(f"survived: {mutant}", markup=False, soft_wrap=True)
            return verdict

        with ThreadPoolExecutor(jobs) as pool, Progress(console=console) as progress:
            verdicts: list[Verdict] = []
            for verdict in progress.track(pool.map(one, chosen), total=len(chosen), description="Mutants"):
                if verdict is None:
                    break
                verdicts.append(verdict)
                _write(verdicts)  # Written after each mutant, so that an interrupted run keeps its results.
            return verdicts


def _write(verdicts: Sequence[Verdict]) -> None:
    RESULTS.write_text(
        json.dumps([{"mutant": str(each.mutant), "fate": each.fate, "by": each.by} for each in verdicts], indent=1)
    )


def table(verdicts: Sequence[Verdict]) -> Table:
    """Return the figures by file."""
    columns = Table("file", *Fate, "of", title="Mutants of the contracts")
    for file in sorted({verdict.mutant.file for verdict in verdicts}):
        fates = Counter(verdict.fate for verdict in verdicts if verdict.mutant.file == file)
        columns.add_row(file, *(str(fates[fate]) for fate in Fate), str(fates.total()))
    fates = Counter(verdict.fate for verdict in verdicts)
    columns.add_section()
    columns.add_row("all", *(str(fates[fate]) for fate in Fate), str(fates.total()))
    return columns


def main() -> int:
    """Test the mutants; print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, help="the number of random mutants; by default all")
    parser.add_argument(
        "--seconds", type=float, help="the time after which no further mutant is started; the order is random"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the seed of the sample; printed")
    parser.add_argument("--survivors", action="store_true", help="only the survivors in mutants-results.json")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="the number of concurrent tests")
    parser.add_argument("--list", action="store_true", help="only list them")
    options = parser.parse_args()
    console = Console()
    mutants = all_mutants()
    if options.survivors:
        if not RESULTS.exists():
            parser.error(f"There is no {RESULTS.name}, so there are no known survivors: run without --survivors.")
        survived = {each["mutant"] for each in json.loads(RESULTS.read_text()) if each["fate"] == Fate.SURVIVED}
        mutants = [mutant for mutant in mutants if str(mutant) in survived]
    if options.seconds is not None:
        options.sample = min(options.sample or len(mutants), len(mutants))
    if options.sample is not None:
        console.print(f"{options.sample} of {len(mutants)} mutants, seed {options.seed}")
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    if options.list:
        for mutant in mutants:
            console.print(str(mutant), markup=False, soft_wrap=True)
        return 0
    verdicts = run(mutants, options.jobs, console, math.inf if options.seconds is None else options.seconds)
    console.print(table(verdicts))
    survivors = [verdict for verdict in verdicts if verdict.fate is Fate.SURVIVED]
    for verdict in survivors:
        console.print(f"survived: {verdict.mutant}", markup=False, soft_wrap=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
