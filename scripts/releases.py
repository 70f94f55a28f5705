"""Write registry/evidence/releases.json: the contracts' code in every release, used to recognise them in evidence.

    python -m scripts.releases            adds the current artifacts under the current version
    python -m scripts.releases --check    exits 1 if they are missing; writes nothing

The entries of other versions are never changed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from registry.evidence.code import immutables_of
from registry.rooms.protocol import Contract
from registry.rooms.protocols import PROTOCOLS

ROOT = Path(__file__).resolve().parents[1]
RELEASES = ROOT / "registry/evidence/releases.json"


def entry(contract: Contract) -> dict[str, Any]:
    """Return a contract's code in the current artifacts, and the offsets of its immutables."""
    artifact = json.loads((ROOT / f"registry/artifacts/{contract.name}.json").read_bytes())
    places = artifact["immutableReferences"]
    return {
        "code": artifact["deployedBytecode"],
        "immutables": {
            name: [place["start"] for place in where]
            for name, where in zip(immutables_of(contract), places, strict=True)
        },
    }


def main() -> None:
    """Write or check the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is not up to date")
    check: bool = parser.parse_args().check
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    before = RELEASES.read_text() if RELEASES.exists() else "{}"
    releases = json.loads(before) | {version: {name: entry(contract) for name, contract in PROTOCOLS.contracts.items()}}
    after = json.dumps(releases, indent=1) + "\n"
    if check and before != after:
        sys.exit("registry/evidence/releases.json is not up to date: run `python -m scripts.releases`.")
    if not check:
        RELEASES.write_text(after)


if __name__ == "__main__":
    main()
