"""The part of the Solidity ABI that events and heads are made of, read and written by slicing.

Strict: what a reader accepts is exactly what Solidity would have encoded (offsets in order, zero padding), so that one
value has one encoding. Source: Contract ABI Specification, formal encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.errors import InvalidInput

WORD = 32


def uint(value: int) -> bytes:
    """One 32-byte word holding an unsigned number."""
    return value.to_bytes(WORD, "big")


def left_padded(value: bytes) -> bytes:
    """One 32-byte word holding an address (or any shorter number) on its right side."""
    return value.rjust(WORD, b"\0")


def padded(data: bytes) -> bytes:
    """The bytes, filled with zeros to whole words."""
    return data + bytes(-len(data) % WORD)


def dynamic(data: bytes) -> bytes:
    """The tail encoding of `bytes` or `string`: its length, then its bytes, padded."""
    return uint(len(data)) + padded(data)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the words of ABI-encoded data.

    Args:
        data: The data; whole words.
    """

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) % WORD:
            raise InvalidInput(f"ABI data has whole words of 32 bytes, but these are {len(self.data)} bytes.")

    def word(self, index: int) -> bytes:
        """The word at an index."""
        word = self.data[WORD * index : WORD * index + WORD]
        if len(word) != WORD:
            raise InvalidInput(f"ABI data ends before its word {index}.")
        return word

    def uint(self, index: int, bits: int) -> int:
        """The unsigned number of at most `bits` bits at an index."""
        value = int.from_bytes(self.word(index), "big")
        if value >> bits:
            raise InvalidInput(f"The ABI word {index} does not fit uint{bits}.")
        return value

    def address(self, index: int) -> bytes:
        """The 20 bytes of the address at an index."""
        return self.uint(index, 160).to_bytes(20, "big")

    def length_at(self, index: int) -> tuple[int, int]:
        """Follows the offset at an index.

        Returns:
            The index of the first word behind the length, and the length (a number of bytes or of elements).
        """
        offset = self.uint(index, 32)
        if offset % WORD:
            raise InvalidInput(f"The ABI offset at word {index} is not on a word.")
        start = offset // WORD
        return start + 1, self.uint(start, 32)

    def tail(self, index: int) -> bytes:
        """The bytes of the `string` or `bytes` whose offset stands at an index."""
        start, length = self.length_at(index)
        raw = self.data[WORD * start : WORD * start + length]
        padding = self.data[WORD * start + length : WORD * start + length + (-length % WORD)]
        if len(raw) != length or len(padding) != -length % WORD or any(padding):
            raise InvalidInput(f"The ABI tail of word {index} is cut short or badly padded.")
        return raw


def text(raw: bytes) -> str:
    """A Solidity string for people. Its bytes need not be UTF-8: what is not, shows as backslash escapes."""
    return raw.decode(errors="backslashreplace")
