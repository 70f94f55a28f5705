"""Receipts of all types, and invalid ones."""

from __future__ import annotations

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.ethereum.logs import Log
from registry.ethereum.receipts import decode_receipt
from registry.ethereum.rlp import Item, encode, number

LOG: list[Item] = [b"\x11" * 20, [b"\x22" * 32, b"\x33" * 32], b"data"]
GOOD: list[Item] = [number(1), number(21000), bytes(256), [LOG]]


@pytest.mark.parametrize("prefix", [b"", b"\x01", b"\x02", b"\x03", b"\x04", b"\x7e"])
def test_a_receipt_of_any_type_is_read(prefix: bytes) -> None:
    receipt = decode_receipt(prefix + encode(GOOD))
    assert receipt.succeeded
    assert receipt.logs == (Log(Address(b"\x11" * 20), (Bytes32(b"\x22" * 32), Bytes32(b"\x33" * 32)), b"data"),)


def test_a_reverted_transaction_has_no_logs() -> None:
    receipt = decode_receipt(encode([b"", number(21000), bytes(256), []]))
    assert not receipt.succeeded
    assert receipt.logs == ()


@pytest.mark.parametrize(
    "fields",
    [
        GOOD[:3],
        [*GOOD, b""],
        [number(1), number(1), bytes(255), []],
        [bytes(32), number(1), bytes(256), []],
        [number(1), number(1), bytes(256), b""],
        [number(1), number(1), bytes(256), [LOG[:2]]],
        [number(1), number(1), bytes(256), [[*LOG, b""]]],
        [number(1), number(1), bytes(256), [[b"\x11" * 19, [], b""]]],
        [number(1), number(1), bytes(256), [[b"\x11" * 20, [b"\x22" * 31], b""]]],
        [number(1), number(1), bytes(256), [[b"\x11" * 20, [b"\x22" * 32] * 5, b""]]],
        [number(1), number(1), bytes(256), [[b"\x11" * 20, b"", b""]]],
        [number(1), number(1), bytes(256), [b"log"]],
    ],
)
def test_what_is_no_receipt_is_refused(fields: list[Item]) -> None:
    with pytest.raises(InvalidInput):
        decode_receipt(encode(fields))


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x80", b"\x02\xc0\x00"])
def test_bytes_that_are_no_receipt_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_receipt(raw)
