"""Makes rfc9162.json beside this file with pymerkle, which shares no code with this project.

Run it in an environment with requirements/bench.txt: ``.venv-bench/bin/python tests/vectors/merkle/make.py``.

ct.json is not written by this script: its leaves, roots and paths are the known answers that the implementations of
Certificate Transparency test themselves against.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from pymerkle import InmemoryTree

SIZES = range(1, 34)
SIZES_WITH_PROOFS = (1, 2, 3, 5, 7, 8, 13, 32, 33)


def siblings(tree: InmemoryTree, index: int, size: int) -> list[str]:
    """The RFC's path; pymerkle's begins with the leaf's own hash and counts leaves from 1."""
    own, *path = tree.prove_inclusion(index + 1, size).serialize()["path"]
    assert own == sha256(b"\0" + leaf(index)).hexdigest()
    return path


def leaf(index: int) -> bytes:
    """Leaves of different lengths, the first of them empty."""
    return b"leaf" * index


def main() -> None:
    tree = InmemoryTree(algorithm="sha256")
    trees = []
    for size in SIZES:
        tree.append_entry(leaf(size - 1))
        trees.append({"size": size, "root": tree.get_root(size).hex()})
    proofs = [
        {"size": size, "index": index, "path": siblings(tree, index, size)}
        for size in SIZES_WITH_PROOFS
        for index in range(size)
    ]
    leaves = [leaf(index).hex() for index in range(SIZES[-1])]
    document = {"leaves": leaves, "trees": trees, "proofs": proofs}
    Path(__file__).with_name("rfc9162.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
