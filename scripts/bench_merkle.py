"""Compare the root of a Merkle tree of 32-byte leaves, and its proofs, with pymerkle.

Each side is timed inside its own process, without the interpreter's start: ours over 1,000,000 leaves, pymerkle over
100,000, since it takes minutes for more. pymerkle also keeps its tree ready for appending and for consistency proofs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from scripts.figures import Figure

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
REPEATS = 3
LEAVES_GOAL = 1_000_000

# Both print leaves per second, and the microseconds to make and to verify a proof.
TIMING = """
import json, time
def took(action):
    start = time.perf_counter(); result = action(); return time.perf_counter() - start, result
def report(leaves, root, prove, verify):
    seconds, _ = took(root)
    chosen = range(0, len(leaves), len(leaves) // 2000)
    drawing, proofs = took(lambda: [prove(index) for index in chosen])
    checking, _ = took(lambda: [verify(index, proof) for index, proof in zip(chosen, proofs)])
    print(json.dumps([len(leaves) / seconds, drawing / len(chosen) * 1e6, checking / len(chosen) * 1e6]))
"""
OURS = """
from registry.base.merkle import MerkleTree, merkle_root, verify_inclusion
leaves = [number.to_bytes(32, "big") for number in range(1_000_000)]
tree = MerkleTree(leaves)
root = tree.root
report(leaves, lambda: merkle_root(leaves), tree.proof, lambda at, proof: verify_inclusion(leaves[at], proof, root))
"""
PYMERKLE = """
from pymerkle import InmemoryTree, verify_inclusion
leaves = [number.to_bytes(32, "big") for number in range(100_000)]
tree = InmemoryTree(algorithm="sha256")
def build():
    for leaf in leaves: tree.append_entry(leaf)
    return tree.get_root()
def verify(at, proof, known={}):
    root = known.get("root") or known.setdefault("root", tree.get_root())
    verify_inclusion(tree.get_leaf(at + 1), root, proof)
report(leaves, build, lambda at: tree.prove_inclusion(at + 1), verify)
"""


def _report(python: str | Path, code: str) -> list[float]:
    done = subprocess.run([python, "-c", TIMING + code], check=True, stdout=subprocess.PIPE, cwd=ROOT)
    figures: list[float] = json.loads(done.stdout)
    return figures


def run() -> Iterator[Figure]:
    """Measure the root and the proofs.

    Raises:
        FileNotFoundError: The peers' environment is not installed.
    """
    if not PEERS_PYTHON.exists():
        raise FileNotFoundError(f"{PEERS_PYTHON} is missing: install requirements/bench.txt into .venv-bench.")
    runs = [(_report(sys.executable, OURS), _report(PEERS_PYTHON, PYMERKLE)) for _ in range(REPEATS)]
    (leaves, prove, verify), (their_leaves, their_prove, their_verify) = (
        [median(figures) for figures in zip(*side, strict=True)] for side in zip(*runs, strict=True)
    )
    yield Figure(
        name="merkle: root",
        value=leaves,
        unit="leaves/s",
        peer="pymerkle",
        peer_value=their_leaves,
        ratio=leaves / their_leaves,
        goal=f">= {LEAVES_GOAL}",
        met=leaves >= LEAVES_GOAL,
    )
    for name, value, their_value in (("draw a proof", prove, their_prove), ("verify a proof", verify, their_verify)):
        yield Figure(f"merkle: {name}", value, "us", "pymerkle", their_value, their_value / value)
