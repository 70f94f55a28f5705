"""Run every kind of load by strangers that once harmed others, alongside honest owners, on a real node.

    python -m scripts.abuse --seconds 600 --seed 1                  the long run; times are judged
    python -m scripts.abuse --seconds 45 --seed 1 --counts          the short run of CI; times are not judged
    python -m scripts.abuse --network paid --seconds 600 --seed 1   on a network where gas costs money

A victim registers a dataset with unpublished metadata, and a published dataset of many files. Strangers then attack it
in the ways listed in scripts/strangers/kinds.py, each at its rate, from a separate process, while honest owners
register, grant, revoke and fetch the victim's evidence. On the paid network, strangers do what
scripts/strangers/burning.py lists: they spend the relayer's money. The table shows the measurements and whether they
are within their limits. abuse-results.json, or abuse-paid-results.json, has the same content, and --json prints it.
Exit code 1 if a measurement exceeds its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import httpx

from registry.rooms.access.proof import access_in
from scripts.demo import Node
from scripts.strangers import paid
from scripts.strangers.honest import Waits, work
from scripts.strangers.kinds import KINDS, load
from scripts.strangers.target import Target
from scripts.strangers.verdict import Attempts, Check, Memory, none_of, of_attempts, of_honest, of_waits, some_of, tell
from scripts.strangers.victim import prepare

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = {"embedded": ROOT / "abuse-results.json", "paid": ROOT / "abuse-paid-results.json"}


def run(seconds: float, seed: int, files: int, folder: Path) -> tuple[Attempts, list[Check]]:
    """Run the load on a node with an embedded chain.

    Returns:
        The outcomes of the strangers' attempts by kind, and the verdict.
    """
    node = Node(folder / "node")
    node.start()
    try:
        target = prepare(node.url, seed, files)
        memory = Memory(node.pid)
        memory.start()
        context = multiprocessing.get_context("spawn")
        outcomes: multiprocessing.SimpleQueue[dict[str, Counter[str]]] = context.SimpleQueue()
        strangers = context.Process(target=_strangers, args=(target, seed, seconds, outcomes), daemon=True)
        strangers.start()
        waits = work(target, seed, seconds)
        attempts = outcomes.get()
        strangers.join()
        checks = [*_verdict(target, waits, attempts), memory.stop()]
    finally:
        node.stop()
    return attempts, checks


def _strangers(
    target: Target, seed: int, seconds: float, outcomes: multiprocessing.SimpleQueue[dict[str, Counter[str]]]
) -> None:
    outcomes.put(asyncio.run(load(KINDS, target, seed, seconds)))


def _verdict(target: Target, waits: Waits, attempts: Attempts) -> list[Check]:
    with httpx.Client(base_url=target.url, timeout=60.0) as http:
        honest = of_honest(http, waits)
        shown = http.get(f"/v1/datasets/{target.small}").json()
    inside = sum(len(bundle.record.events) - 1 + len(access_in(bundle.record)) for bundle in waits.verified)
    secrets = json.dumps(target.metadata["name"])
    leaks = int(secrets in json.dumps(shown))
    return [
        *of_attempts(attempts),
        *honest,
        some_of("bundles of the victim, each verified", len(waits.verified)),
        none_of("strangers' acts in the victim's bundles", inside),
        none_of("documents of the victim shown against its will", leaks),
        *of_waits(waits),
    ]


def main() -> int:
    """Run the load and print the verdict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--network", choices=RESULTS, default="embedded", help="an embedded chain, or a network where gas costs money"
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="the duration of the load")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="the seed of the load; printed")
    parser.add_argument("--files", type=int, default=200_000, help="the number of files of the victim's large dataset")
    parser.add_argument("--gas-per-hour", type=int, default=60_000_000, help="the relayer's budget on the paid network")
    parser.add_argument("--counts", action="store_true", help="print times, but do not judge them")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of tables")
    options = parser.parse_args()
    network, seconds, seed = options.network, options.seconds, options.seed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # The node and the strangers must end too.
    print(f"{seconds:g} s of strangers' load ({network}), seed {seed}, {options.files:,} files", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="abuse-") as name:
        folder = Path(name)
        if network == "paid":
            attempts, checks = paid.run(paid.Plan(seconds, seed, options.files, options.gas_per_hour), folder)
        else:
            attempts, checks = run(seconds, seed, options.files, folder)
    started = {"network": network, "seconds": seconds, "seed": seed, "files": options.files}
    if network == "paid":
        started["gasPerHour"] = options.gas_per_hour
    is_met = tell(attempts, checks, RESULTS[network], started, times_count=not options.counts, as_json=options.json)
    return int(not is_met)


if __name__ == "__main__":
    sys.exit(main())
