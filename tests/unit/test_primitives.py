"""Fixed-length values parse strictly and print in one form."""

from __future__ import annotations

import pytest
from eth_utils import keccak, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256


@given(st.binary(max_size=200))
def test_keccak256_agrees_with_eth_utils(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


@given(st.binary(min_size=20, max_size=20))
def test_an_address_prints_the_checksum_that_eth_utils_prints(raw: bytes) -> None:
    assert str(Address(raw)) == to_checksum_address(raw)
    assert Address.parse(str(Address(raw))) == raw
    assert Address.parse("0x" + raw.hex()) == raw


def test_an_address_with_a_wrong_checksum_is_refused() -> None:
    right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # EIP-55's own example
    assert str(Address.parse(right)) == right
    with pytest.raises(InvalidInput, match="checksum"):
        Address.parse(right.replace("aA", "Aa", 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x01",
        "01" * 32,
        "0x" + "01" * 31,
        "0x" + "01" * 33,
        "0x" + "0g" * 32,
        "0X" + "01" * 32,
        "0x" + "01" * 32 + "\n",
        " 0x" + "01" * 32,
        "0x" + "٠" * 64,
    ],
)
def test_anything_but_exact_hex_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="64 hex digits"):
        Bytes32.parse(text)


@pytest.mark.parametrize("value", [1, True, None, b"\x01" * 31, ["0x" + "01" * 32], 0x01 << 255])
def test_json_values_of_other_kinds_are_refused(value: object) -> None:
    with pytest.raises((ValidationError, InvalidInput)):
        TypeAdapter(Bytes32).validate_python(value)


def test_a_dataset_id_is_the_big_endian_token_id() -> None:
    assert int(DatasetId.from_int(258)) == 258
    assert str(DatasetId.from_int(258)) == "0x" + "00" * 30 + "0102"
