"""docs/signing.md as its reader runs it: other libraries sign by what the gateway says, and the contracts accept it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from registry.manifest import hash_path
from tests.api.world import Gateway
from tests.fixtures.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
KEY = "0x" + "5a" * 32
"""A key of these tests alone."""
STATEMENTS = {"Publication", "Retraction", "RequestPolicy"}
GRANTEE = Account.from_key("0x" + "5b" * 32).address


def script(name: str) -> str:
    """The block of the guide that begins with its file's name."""
    blocks = re.findall(
        r"^```(?:js|python)\n(.*?)^```", (ROOT / "docs/signing.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return next(block for block in blocks if block.splitlines()[0].split()[-1] == name)


def run(gateway: Gateway, folder: Path, name: str, program: str, *arguments: str) -> Mapping[str, Any]:
    (folder / name).write_text(script(name))
    environment = os.environ | {"PRIVATE_KEY": KEY, "TDR_GATEWAY": str(gateway.http.base_url).rstrip("/")}
    done = subprocess.run(
        [program, name, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    receipt = json.loads(done.stdout)
    ended: Mapping[str, Any] = gateway.http.get(f"/v1/receipts/{receipt['id']}?wait=30").json()
    assert ended["status"] in ("mined", "final"), ended
    return ended


@pytest.mark.long
def test_viem_registers_and_eth_account_grants_by_the_guide(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    shutil.copy(ROOT / "examples/penguins/penguins.csv", tmp_path / "企鹅.csv")
    registered = run(gateway, tmp_path, "register.mjs", "node", "企鹅.csv")
    dataset_id = str(registered["subject"]["id"])
    granted = run(gateway, tmp_path, "grant.py", sys.executable, dataset_id, GRANTEE)

    query = {"address": GRANTEE, "min_block": granted["blockNumber"]}
    assert gateway.http.get(f"/v1/datasets/{dataset_id}/access", params=query).json()["allowed"] is True
    shown = gateway.http.get(f"/v1/datasets/{dataset_id}").json()
    assert shown["owner"] == Account.from_key(KEY).address
    # The file's root by the registry's own code, which the guide does not use.
    assert shown["contentRoot"] == str(hash_path(tmp_path / "企鹅.csv").root)


def test_the_types_served_are_those_of_the_vectors_that_a_wallet_library_signed(gateway: Gateway) -> None:
    vectors = json.loads((ROOT / "tests/vectors/eip712/vectors.json").read_text())
    served = gateway.http.get("/v1/deployment").json()["messages"]
    assert served.keys() == {vector["primaryType"] for vector in vectors} | STATEMENTS
    for vector in vectors:
        kind = dict(served[vector["primaryType"]]["types"])
        assert kind.pop("EIP712Domain") == [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ]
        assert kind == {name: fields for name, fields in vector["types"].items() if name != "EIP712Domain"}
