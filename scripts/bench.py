"""Run the benchmarks, print their table, and write bench-results.json.

    python -m scripts.bench              all of them
    python -m scripts.bench --only gas   scripts/bench_gas.py only; the file keeps the rows of the other benchmarks

Each `scripts/bench_<name>.py` has `run()`, which yields `Figure`s named `<name>: ...`. The exit code is 0 whether
or not goals are met.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.figures import Figure

SCRIPTS = Path(__file__).resolve().parent
RESULTS = SCRIPTS.parent / "bench-results.json"


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(path.stem.removeprefix("bench_") for path in SCRIPTS.glob("bench_*.py"))


def run(name: str) -> Iterator[Figure]:
    """Run one benchmark.

    Raises:
        ValueError: A figure's name does not begin with the benchmark's.
    """
    for figure in importlib.import_module(f"scripts.bench_{name}").run():
        if not figure.name.startswith(f"{name}: "):
            raise ValueError(f"The figure {figure.name!r} of the benchmark {name} must begin with '{name}: '.")
        yield figure


def merged(earlier: list[dict[str, object]], ran: list[str], figures: list[Figure]) -> list[dict[str, object]]:
    """Return the earlier rows of benchmarks that did not run now, then the new ones."""
    kept = [row for row in earlier if str(row["name"]).partition(": ")[0] not in ran]
    return kept + [figure.to_json() for figure in figures]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def table(figures: list[Figure]) -> Table:
    """Return the figures as a table for people."""
    result = Table()
    for heading in ("figure", "ours", "unit", "peer", "peer's", "ratio", "goal", "met"):
        result.add_column(heading, justify="right" if heading in ("ours", "peer's", "ratio") else "left")
    for figure in figures:
        result.add_row(
            figure.name,
            _number(figure.value),
            figure.unit,
            figure.peer,
            "" if figure.peer_value is None else _number(figure.peer_value),
            "" if figure.ratio is None else f"{figure.ratio:.2f}x",
            figure.goal,
            "" if figure.met is None else ("yes" if figure.met else "NO"),
        )
    return result


def main() -> None:
    """Run the chosen benchmarks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=names(), help="run only this benchmark")
    only: str | None = parser.parse_args().only
    ran = [only] if only else names()
    figures = [figure for name in ran for figure in run(name)]
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    RESULTS.write_text(json.dumps(merged(earlier, ran, figures), indent=1, ensure_ascii=False) + "\n")
    Console(width=None if sys.stdout.isatty() else 150).print(table(figures))


if __name__ == "__main__":
    main()
