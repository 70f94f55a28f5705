"""Compile the contracts and write registry/artifacts/, so that users of the registry need no compiler.

    python -m scripts.compile_contracts           writes the artifacts
    python -m scripts.compile_contracts --check   exit code 1 if the committed ones differ by a byte

The bytecode depends only on the code and on SETTINGS: it does not end with the metadata that solc appends, whose hash
would change with every comment. Needs `npm ci` (the compiler and OpenZeppelin, pinned by package-lock.json) and Node.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import solcx

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "registry" / "artifacts"
SOLC = ROOT / "scripts" / "solc" / "solc.js"
SHIPPED = ("DatasetRegistry", "AccessGrants")
SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 1_000_000},
    "viaIR": True,
}
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "evm.deployedBytecode.object",
    "metadata",
    "storageLayout",
]

Compiled = Mapping[str, Any]


def compile_folder(folder: Path) -> dict[str, Compiled]:
    """Compile every Solidity file below a folder of this repository.

    Returns:
        solc's output for each contract that has code, by its name.

    Raises:
        solcx.exceptions.SolcError: A file does not compile, or solc warns about it; warnings about OpenZeppelin's files
        are
            ignored.
    """
    files = {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted(folder.rglob("*.sol"))}
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in files.items()},
            "settings": {**SETTINGS, "outputSelection": {"*": {"*": OUTPUTS}}},
        },
        base_path=ROOT,
        solc_binary=SOLC,
    )
    warnings = [
        warning["formattedMessage"]
        for warning in output.get("errors", ())
        if warning.get("sourceLocation", {}).get("file", "") in files or "sourceLocation" not in warning
    ]
    if warnings:
        raise solcx.exceptions.SolcError("\n".join(warnings))
    return {
        name: compiled
        for file in files
        for name, compiled in output["contracts"][file].items()
        if compiled["evm"]["bytecode"]["object"]
    }


def artifact(name: str, compiled: Compiled) -> dict[str, Any]:
    """Return the artifact of a compiled contract for users and auditors.

    Returns:
        ``contractName``; ``compiler`` and ``settings`` that give this bytecode; ``sources``, each with the SHA-256 of
        its file; ``abi``; ``bytecode`` (creation code without constructor arguments) and ``deployedBytecode``, 0x hex;
        ``immutableReferences``, the byte ranges of the deployed code that the constructor fills in; ``storage``, the
        slot number of every state variable.
    """
    metadata = json.loads(compiled["metadata"])
    deployed = compiled["evm"]["deployedBytecode"]
    return {
        "contractName": name,
        "compiler": metadata["compiler"]["version"],
        "settings": SETTINGS,
        "sources": {file: {"sha256": _sha256(file)} for file in metadata["sources"]},
        "abi": compiled["abi"],
        "bytecode": f"0x{compiled['evm']['bytecode']['object']}",
        "deployedBytecode": f"0x{deployed['object']}",
        "immutableReferences": list(deployed["immutableReferences"].values()),
        "storage": {entry["label"]: int(entry["slot"]) for entry in compiled["storageLayout"]["storage"]},
    }


def _sha256(source: str) -> str:
    path = ROOT / source
    return hashlib.sha256((path if path.exists() else ROOT / "node_modules" / source).read_bytes()).hexdigest()


def artifacts() -> dict[Path, str]:
    """Return the content of each file in registry/artifacts/, by path."""
    compiled = compile_folder(CONTRACTS)
    return {
        ARTIFACTS / f"{name}.json": json.dumps(artifact(name, compiled[name]), indent=1, sort_keys=True) + "\n"
        for name in SHIPPED
    }


def main() -> int:
    """Write the artifacts, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed artifacts, write nothing")
    check: bool = parser.parse_args().check
    for path, text in artifacts().items():
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path.relative_to(ROOT)} differs from the compiled sources.")
            print("Run `python -m scripts.compile_contracts` and commit the result.")
            return 1
    print(f"{len(SHIPPED)} artifacts {'are up to date' if check else 'written'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
