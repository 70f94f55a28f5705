"""Compare hashing 10,000 files of 4 KiB and one file of 4 GiB into a manifest with `dvc add` and `sha256sum`.

Each is timed as a user experiences it: a whole process including the interpreter, with a warm page cache. Ours
prints the content root. The peers do more or less work:

- `dvc add` (MD5, in a fresh repository, default settings) also puts a copy of the data into its cache and writes a .dvc
  file; this is required to get a dataset's hash.
- `sha256sum` (two processes at a time through xargs) prints hashes, and neither detects changes nor builds a tree.

The files contain random bytes, not holes. They are created in TMPDIR, which needs 13 GB of free space.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scripts.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
DVC = ROOT / ".venv-bench" / "bin" / "dvc"
DVC_GOAL = 7
MEMORY_GOAL_MB = 100

# VmHWM is the peak of this program; the value of getrusage would include its parent's.
OURS = """
import sys
from registry.manifest import hash_path
print(hash_path(sys.argv[1]).root)
with open("/proc/self/status") as status:
    print(*(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@dataclass(frozen=True, slots=True)
class Load:
    """The data to hash: its name, the unit and amount of work, and the number of repetitions."""

    name: str
    unit: str
    amount: float
    repeats: int
    make: Callable[[Path], None]


def _make_small(path: Path) -> None:
    for number in range(10_000):
        folder = path / f"{number // 1000}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.bin").write_bytes(os.urandom(4096))


def _make_big(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(4096):
            file.write(os.urandom(1 << 20))


LOADS = (
    Load("10,000 files of 4 KiB", "files/s", 10_000, 5, _make_small),
    Load("one file of 4 GiB", "MB/s", 4096 * (1 << 20) / 1e6, 3, _make_big),
)


def _timed(command: list[str], **options: object) -> tuple[float, str]:
    """Return the seconds and output of a command, started after all pending writes are on disk."""
    os.sync()
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    return time.perf_counter() - start, done.stdout


def _ours(data: Path) -> tuple[float, str, float]:
    """Return the seconds, the content root, and the peak memory in MB."""
    seconds, output = _timed([sys.executable, "-c", OURS, str(data)], cwd=ROOT)
    root, peak_kib = output.split()
    return seconds, root, int(peak_kib) * 1024 / 1e6


def _sha256sum(data: Path) -> float:
    command = 'find "$0" -type f -print0 | xargs -0 -n 1000 -P 2 sha256sum'
    return _timed(["sh", "-c", command, str(data)])[0]


def _dvc(data: Path, work: Path) -> float:
    """Return the seconds of `dvc add`. The data is moved into a new repository, and back afterwards."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": f"{folder}/site"}
        repository = Path(folder) / "repository"
        repository.mkdir()
        subprocess.run([DVC, "init", "--no-scm", "-q"], cwd=repository, env=environment, check=True)
        inside = data.rename(repository / data.name)
        seconds = _timed([str(DVC), "add", "-q", inside.name], cwd=repository, env=environment)[0]
        inside.rename(data)
    return seconds


def _measure(load: Load, work: Path) -> Iterator[Figure]:
    data = work / "data"
    load.make(data)
    ours, dvc, sha256sum, roots, peaks = [], [], [], set(), []
    for _ in range(load.repeats):
        seconds, root, peak = _ours(data)
        ours.append(seconds)
        roots.add(root)
        peaks.append(peak)
        sha256sum.append(_sha256sum(data))
        dvc.append(_dvc(data, work))
    assert len(roots) == 1, "the content root differs between runs"
    value = load.amount / median(ours)
    for peer, times, goal in (("dvc add", dvc, DVC_GOAL), ("sha256sum", sha256sum, None)):
        peer_value = load.amount / median(times)
        ratio = median(theirs / mine for theirs, mine in zip(times, ours, strict=True))
        yield Figure(
            name=f"hashing: {load.name}, beside {peer}",
            value=value,
            unit=load.unit,
            peer=peer,
            peer_value=peer_value,
            ratio=ratio,
            goal=f">= {goal}x" if goal else "",
            met=ratio >= goal if goal else None,
        )
    yield Figure(
        name=f"hashing: peak memory, {load.name}",
        value=max(peaks),
        unit="MB",
        goal=f"<= {MEMORY_GOAL_MB}",
        met=max(peaks) <= MEMORY_GOAL_MB,
    )
    if data.is_dir():
        shutil.rmtree(data)
    else:
        data.unlink()


def run() -> Iterator[Figure]:
    """Measure both loads.

    Raises:
        FileNotFoundError: The peers' environment is not installed.
    """
    if not DVC.exists():
        raise FileNotFoundError(f"{DVC} is missing: install requirements/bench.txt into .venv-bench.")
    with tempfile.TemporaryDirectory(prefix="bench-hashing-") as work:
        for load in LOADS:
            yield from _measure(load, Path(work))
