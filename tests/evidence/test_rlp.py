"""RLP compared with the Ethereum project's own library, and non-canonical encodings."""

from __future__ import annotations

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st
from rlp.exceptions import DecodingError

from registry.base.errors import InvalidInput
from registry.ethereum.rlp import MAX_DEPTH, as_bytes, as_list, as_number, decode, decode_list, encode, number

ITEMS = st.recursive(st.binary(max_size=70), lambda items: st.lists(items, max_size=20), max_leaves=60)


@given(ITEMS)
def test_any_item_is_encoded_as_the_reference_does_and_read_back(item: object) -> None:
    encoded = reference.encode(item)
    assert encode(item) == encoded  # type: ignore[arg-type]
    assert decode(encoded) == item


@given(st.binary(max_size=80))
def test_any_bytes_are_accepted_exactly_if_the_reference_accepts_them(data: bytes) -> None:
    try:
        expected = reference.decode(data)
    except DecodingError:
        with pytest.raises(InvalidInput):
            decode(data)
    else:
        assert decode(data) == expected


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "8100",  # a single byte below 0x80 with a prefix
        "817f",
        "b800",  # a long form for a short string
        "b80161",
        "b90038" + "61" * 56,  # a length with a leading zero
        "8261",  # cut short
        "b838" + "61" * 55,
        "c26161" + "00",  # bytes behind the end
        "c2",
        "c18261",  # an item that leaves its list
        "f800",
        "ff" + "ff" * 8,  # a length far beyond any memory
        "bf" + "ff" * 8,
        "c1" * (MAX_DEPTH + 2) + "c0",
    ],
)
def test_what_is_not_the_one_encoding_of_an_item_is_refused(encoded: str) -> None:
    with pytest.raises(InvalidInput):
        decode(bytes.fromhex(encoded))


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_numbers_are_read_back(value: int) -> None:
    assert as_number(decode(encode(number(value))), 256) == value


@pytest.mark.parametrize("raw", [b"\0", b"\0\1", b"\1" * 9])
def test_a_number_with_leading_zeros_or_too_many_bits_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        as_number(raw)


def test_bytes_and_lists_are_not_taken_for_each_other() -> None:
    with pytest.raises(InvalidInput):
        as_bytes([])
    with pytest.raises(InvalidInput):
        as_bytes(b"ab", 3)
    with pytest.raises(InvalidInput):
        as_list(b"")
    with pytest.raises(InvalidInput):
        decode_list(b"\x80")
