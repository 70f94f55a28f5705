"""The shipped artifacts are compiled from the sources, and contain no forbidden operation."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scripts.compile_contracts import ROOT, SETTINGS, SHIPPED, SOLC

from .world import artifact

FORBIDDEN = {0xF0: "CREATE", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xF5: "CREATE2", 0xFF: "SELFDESTRUCT"}
PUSH0, PUSH1, PUSH32, INVALID = 0x5F, 0x60, 0x7F, 0xFE
CODE_LIMIT = 24_576  # EIP-170


def opcodes(code: bytes) -> list[int]:
    """The instructions of a contract, without the data that they push."""
    found, position = [], 0
    while position < len(code):
        found.append(code[position])
        position += 1 + (code[position] - PUSH1 + 1 if PUSH1 <= code[position] <= PUSH32 else 0)
    return found


@pytest.mark.long
def test_the_sources_compile_to_the_committed_artifacts_byte_for_byte() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.compile_contracts", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compiler_wrapper_names_the_pinned_version() -> None:
    printed = subprocess.run([SOLC, "--version"], capture_output=True, text=True, check=True).stdout
    for name in SHIPPED:
        assert f"Version: {artifact(name)['compiler']}" in printed


@pytest.mark.parametrize("name", SHIPPED)
def test_an_artifact_says_how_it_was_made(name: str) -> None:
    made = artifact(name)
    assert made["contractName"] == name
    assert made["compiler"].startswith("0.8.37+")
    assert made["settings"] == SETTINGS
    assert any(source.endswith(f"/{name}.sol") for source in made["sources"])


@pytest.mark.parametrize("name", SHIPPED)
def test_no_code_can_be_swapped_or_destroyed(name: str) -> None:
    """C14: no delegatecall, no selfdestruct, no creation; and the code fits into a block."""
    code = bytes.fromhex(artifact(name)["deployedBytecode"][2:])
    assert {FORBIDDEN[op] for op in opcodes(code) if op in FORBIDDEN} == set()
    assert len(code) < CODE_LIMIT


@pytest.mark.parametrize("name", SHIPPED)
def test_the_code_runs_on_chains_of_the_paris_fork(name: str) -> None:
    # Shanghai brought PUSH0; Cancun TLOAD, TSTORE, MCOPY, BLOBHASH, BLOBBASEFEE.
    newer = {PUSH0, 0x5C, 0x5D, 0x5E, 0x49, 0x4A}
    assert newer.isdisjoint(opcodes(bytes.fromhex(artifact(name)["deployedBytecode"][2:])))


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_payable(name: str) -> None:
    """C14: no contract holds ether by accident."""
    entries = [entry for entry in artifact(name)["abi"] if entry["type"] in ("function", "constructor")]
    assert {entry["stateMutability"] for entry in entries} <= {"pure", "view", "nonpayable"}
    assert {entry["type"] for entry in artifact(name)["abi"]} <= {"function", "constructor", "event", "error"}
