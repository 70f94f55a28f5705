"""Strict JSON in, canonical JSON out."""

from __future__ import annotations

import json
import struct
import sys
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.base.canonical import MAX_DEPTH, canonical_json, metadata_hash, read_json
from registry.base.errors import InvalidInput

# RFC 8785, appendix B: the bits of a double, and how it is written. The whole numbers between 2**53 and 1e21 are left
# out, since they are refused here.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not 2**53 <= abs(number) < 1e21)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), children),
)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_doubles_are_written_as_the_rfc_lists_them(bits: str, written: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number).decode() == written


def test_keys_are_ordered_by_utf_16_as_the_rfc_shows() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    ordered = list(json.loads(canonical_json(dict.fromkeys(keys))))
    assert ordered == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@given(json_values)
def test_canonical_json_means_the_same_and_is_its_own_canonical_form(value: object) -> None:
    canonical = canonical_json(value)
    assert read_json(canonical) == value
    assert canonical_json(read_json(canonical)) == canonical


def test_metadata_in_any_order_of_keys_has_one_hash() -> None:
    expected = sha256('{"a":[1,null],"título":"数据"}'.encode()).digest()
    assert metadata_hash({"título": "数据", "a": [1.0, None]}) == expected
    assert metadata_hash(MappingProxyType({"a": (1, None), "título": "数据"})) == expected


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        2.0**53,
        -999999999999999900000.0,
        "\ud800",
        {"\ud800": 1},
        {1: 1},
        {None: 1},
        {"a": {1, 2}},
        b"bytes",
        pytest.param(object(), id="an object"),
        nested(MAX_DEPTH + 1),
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    for container in (value, [value], {"key": value}):
        with pytest.raises(InvalidInput):
            canonical_json(container)
        with pytest.raises(InvalidInput):
            metadata_hash(container)


def test_a_list_within_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="nested deeper"):
        canonical_json(endless)


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"a":' * 200_000, '"]",' * 9 + '[["]"],' * 100_000], ids=["arrays", "objects", "mixed"]
)
def test_however_deep_a_text_the_process_survives_it(text: str) -> None:
    allowed = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)  # as libraries do
    try:
        with pytest.raises(InvalidInput, match="nested deeper"):
            read_json(text)
    finally:
        sys.setrecursionlimit(allowed)


def test_many_brackets_side_by_side_or_in_strings_are_not_deep() -> None:
    value = [[["[{", "\\", '"['], {"]": "}"}]] * 2_000
    assert read_json(json.dumps(value)) == value


def test_the_deepest_value_allowed_is_read_and_written() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert canonical_json(read_json(text)).decode() == text
    with pytest.raises(InvalidInput, match="nested deeper"):
        read_json(f"[{text}]")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "{'a':1}",
        "01",
        "NaN",
        "-Infinity",
        "1e999",
        '{"a":1,"a":1}',
        '[{"b":{"a":1,"a":2}}]',
        "\ufeff1",
    ],
)
def test_what_is_ambiguous_or_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_json(text)
    with pytest.raises(InvalidInput):
        read_json(text.encode())


@pytest.mark.parametrize("data", [b"\xff", b'"\xed\xa0\x80"', '"a"'.encode("utf-16"), '"a"'.encode("utf-32-be")])
def test_bytes_in_another_encoding_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_json(data)
