"""Headers in the forms of the first block of all, London (by Clique), Shanghai, Cancun and Prague."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.base.errors import InvalidInput
from registry.ethereum.header import Header, encode_header
from registry.ethereum.rlp import Item, decode_list, encode

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors/evidence/headers.json").read_text())
FIELDS = {"Frontier": 15, "London": 16, "Shanghai": 17, "Cancun": 20, "Prague": 21}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['chain']} {vector['form']}")
def test_a_header_hashes_to_the_hash_that_the_chain_has(vector: dict[str, Any]) -> None:
    block = vector["block"]
    raw = encode_header(block)
    header = Header.decode(raw)
    assert len(decode_list(raw)) == FIELDS[vector["form"]]
    assert str(header.hash) == block["hash"]
    assert str(header.parent_hash) == block["parentHash"]
    assert (header.number, header.timestamp) == (int(block["number"], 16), int(block["timestamp"], 16))
    assert str(header.state_root) == block["stateRoot"]
    assert str(header.receipts_root) == block["receiptsRoot"]


def test_all_forms_are_covered() -> None:
    assert {vector["form"] for vector in VECTORS} == set(FIELDS)


def test_a_block_that_hashes_to_something_else_is_refused() -> None:
    block = VECTORS[-1]["block"] | {"gasUsed": "0x1"}
    with pytest.raises(InvalidInput, match="does not hash"):
        encode_header(block)


def test_a_header_with_a_field_that_a_later_fork_appended_is_read() -> None:
    fields = decode_list(encode_header(VECTORS[-1]["block"]))
    assert Header.decode(encode([*fields, bytes(32)])).number == int(VECTORS[-1]["block"]["number"], 16)


@pytest.mark.parametrize(
    ("index", "value"), [(0, b""), (3, bytes(31)), (5, []), (8, b"\0\1"), (8, b"\1" * 7), (11, b"\xff" * 8)]
)
def test_a_header_with_a_malformed_field_is_refused(index: int, value: Item) -> None:
    fields = decode_list(encode_header(VECTORS[-1]["block"]))
    fields[index] = value
    with pytest.raises(InvalidInput):
        Header.decode(encode(fields))


def test_a_header_with_too_few_fields_is_refused() -> None:
    with pytest.raises(InvalidInput, match="15 or more fields"):
        Header.decode(encode(decode_list(encode_header(VECTORS[-1]["block"]))[:14]))
