"""RLP with strict decoding: each value has one encoding, and only that one is accepted.

Source: the Ethereum Yellow Paper, appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

from registry.base.errors import InvalidInput

Item: TypeAlias = Union[bytes, "list[Item]"]
"""An RLP item: bytes, or a list of items."""

MAX_DEPTH = 16
"""Chain data is nested at most six levels deep (an access list in a transaction)."""

_SHORT = 56
_EMPTY = 0x80
_AT_ONCE = frozenset({_EMPTY, _EMPTY + 32})


def encode(item: bytes | Sequence[Item]) -> bytes:
    """Return the encoding of bytes or of a list."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(len(item), 0x80) + item
    body = b"".join([encode(child) for child in item])
    return _prefix(len(body), 0xC0) + body


def decode(data: bytes) -> Item:
    """Return the item that the bytes encode.

    Raises:
        InvalidInput: The bytes are not the encoding of exactly one item, or it is nested too deep.
    """
    item, end = _item(data, 0, len(data), MAX_DEPTH)
    if end != len(data):
        raise InvalidInput(f"{len(data) - end} bytes follow the end of the RLP item.")
    return item


def decode_list(data: bytes) -> list[Item]:
    """Return the list that the bytes encode.

    Raises:
        InvalidInput: The bytes are not the encoding of exactly one list.
    """
    item = decode(data)
    if isinstance(item, bytes):
        raise InvalidInput("Expected an RLP list; got bytes.")
    return item


def as_bytes(item: Item, length: int | None = None) -> bytes:
    """Return the item as bytes.

    Args:
        item: The item.
        length: The required number of bytes; None: any.

    Raises:
        InvalidInput: The item is a list or has another length.
    """
    if not isinstance(item, bytes):
        raise InvalidInput("Expected RLP bytes; got a list.")
    if length is not None and len(item) != length:
        raise InvalidInput(f"Expected {length} RLP bytes; got {len(item)}.")
    return item


def as_list(item: Item) -> list[Item]:
    """Return the item as a list.

    Raises:
        InvalidInput: The item is bytes.
    """
    if isinstance(item, bytes):
        raise InvalidInput("Expected an RLP list; got bytes.")
    return item


def as_number(item: Item, bits: int = 64) -> int:
    """Return the item as an unsigned number.

    Args:
        item: The item: big-endian bytes without leading zeros.
        bits: The maximum width of the number.

    Raises:
        InvalidInput: The item is not such a number.
    """
    raw = as_bytes(item)
    if raw[:1] == b"\0" or 8 * len(raw) > bits:
        raise InvalidInput(f"Expected an RLP number of at most {bits} bits without leading zeros.")
    return int.from_bytes(raw, "big")


def number(value: int) -> bytes:
    """Return the bytes that RLP encodes for an unsigned number: big-endian, no leading zeros, empty for zero."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _prefix(length: int, base: int) -> bytes:
    if length < _SHORT:
        return bytes([base + length])
    size = number(length)
    return bytes([base + _SHORT - 1 + len(size)]) + size


def _item(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    """Return the item at an offset and the offset after it. The item must not extend beyond `end`."""
    if at >= end:
        raise InvalidInput("The RLP item is cut short.")
    lead = data[at]
    if lead < 0x80:
        return data[at : at + 1], at + 1
    if lead < 0xC0:
        start, stop = _span(data, at, end, lead - 0x80)
        if stop - start == 1 and data[start] < 0x80:
            raise InvalidInput("A single byte below 0x80 is its own RLP encoding; this one has a prefix.")
        return data[start:stop], stop
    start, stop = _span(data, at, end, lead - 0xC0)
    if not depth:
        raise InvalidInput(f"The RLP item is nested deeper than {MAX_DEPTH} levels.")
    items: list[Item] = []
    while start < stop:
        lead = data[start]
        if lead in _AT_ONCE and start + lead < stop + _EMPTY:  # Empty items and hashes: nearly everything in tries.
            end = start + 1 + lead - _EMPTY
            item: Item = data[start + 1 : end]
            start = end
        else:
            item, start = _item(data, start, stop, depth - 1)
        items.append(item)
    return items, stop


def _span(data: bytes, at: int, end: int, length: int) -> tuple[int, int]:
    """Return the start and end of the body of the item at an offset; `length` is taken from the lead byte."""
    start = at + 1
    if length >= _SHORT:
        size = length - _SHORT + 1
        raw = data[start : start + size]
        start += size
        length = int.from_bytes(raw, "big")
        if len(raw) != size or raw[0] == 0 or length < _SHORT:
            raise InvalidInput("An RLP length is cut short or longer than necessary.")
    if start + length > end:
        raise InvalidInput("The RLP item is cut short.")
    return start, start + length
