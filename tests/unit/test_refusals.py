"""The table of refusals against the contracts' own ABIs, and the reading of revert data against eth_abi."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector

from registry.ethereum.refusals import UNNAMED
from registry.rooms.protocols import PROTOCOLS

ARTIFACTS = Path(__file__).parents[2] / "registry/artifacts"
SOLIDITY_ITSELF = {"Error(string)", "Panic(uint256)"}


def declared() -> dict[str, tuple[str, ...]]:
    """Every error of both ABIs: its signature, and the names of its values."""
    entries: list[dict[str, Any]] = [
        entry for path in ARTIFACTS.glob("*.json") for entry in json.loads(path.read_text())["abi"]
    ]
    return {
        f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})": tuple(
            item["name"] for item in entry["inputs"]
        )
        for entry in entries
        if entry["type"] == "error"
    }


def test_every_error_of_the_contracts_has_one_entry_and_no_other_has() -> None:
    assert {
        refusal.signature: refusal.values
        for refusal in PROTOCOLS.refusals.refusals
        if refusal.signature not in SOLIDITY_ITSELF
    } == (declared())
    assert len({refusal.signature for refusal in PROTOCOLS.refusals.refusals}) == len(PROTOCOLS.refusals.refusals)


@pytest.mark.parametrize("refusal", PROTOCOLS.refusals.refusals, ids=lambda refusal: refusal.signature)
def test_revert_data_is_read_as_eth_abi_writes_it(refusal: Any) -> None:
    samples = {"address": "0x" + "ab" * 20, "bytes32": b"\x11" * 32, "string": "why — not"}
    values = [samples.get(kind, 7 + index) for index, kind in enumerate(refusal.types)]
    data = function_signature_to_4byte_selector(refusal.signature) + encode(list(refusal.types), values)

    refused = PROTOCOLS.refusals.read(data)

    assert refused.name == refusal.name
    assert tuple(refused.values) == refusal.values
    assert refused.status == refusal.status
    assert "{" not in refused.message
    assert refused.message.endswith(".")
    for given, (name, shown) in zip(values, refused.values.items(), strict=True):
        if name in ("datasetId", "tokenId"):
            assert int(str(shown), 16) == given
        elif isinstance(given, bytes):
            assert shown == f"0x{given.hex()}"
        elif isinstance(shown, str):
            assert shown.lower() == str(given)
        else:
            assert shown == given


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xde\xad\xbe\xef", bytes(500)])
def test_unknown_revert_data_is_named_so(data: bytes) -> None:
    refused = PROTOCOLS.refusals.read(data)
    assert refused.name == UNNAMED
    assert refused.status == 422


def test_known_selector_with_values_cut_short_is_not_believed() -> None:
    assert (
        PROTOCOLS.refusals.read(function_signature_to_4byte_selector("DatasetExists(uint256)") + b"\x01").name
        == UNNAMED
    )


def test_times_beyond_the_calendar_do_not_break_the_sentence() -> None:
    data = function_signature_to_4byte_selector("DeadlinePassed(uint64,uint256)") + encode(
        ["uint64", "uint256"], [2**64 - 1, 2**256 - 1]
    )
    assert str(2**256 - 1) in PROTOCOLS.refusals.read(data).message
