"""Read and write the part of the Solidity ABI that events and heads use, by slicing.

Reading is strict: it accepts exactly what Solidity would have encoded (offsets in order, zero padding), so that each
value has one encoding. Source: Contract ABI Specification, formal encoding.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.errors import InvalidInput

WORD = 32


def uint(value: int) -> bytes:
    """Return an unsigned number as one 32-byte word."""
    return value.to_bytes(WORD, "big")


def left_padded(value: bytes) -> bytes:
    """Return an address or a shorter number as one 32-byte word, padded on the left."""
    return value.rjust(WORD, b"\0")


def padded(data: bytes) -> bytes:
    """Return the bytes, padded with zeros to whole words."""
    return data + bytes(-len(data) % WORD)


def dynamic(data: bytes) -> bytes:
    """Return the tail encoding of `bytes` or `string`: its length, then its bytes, padded."""
    return uint(len(data)) + padded(data)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the words of ABI-encoded data.

    Args:
        data: The data, a multiple of 32 bytes.

    Raises:
        InvalidInput: The length is not a multiple of 32 bytes.
    """

    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) % WORD:
            raise InvalidInput(f"ABI data consists of words of 32 bytes; got {len(self.data)} bytes.")

    def word(self, index: int) -> bytes:
        """Return the word at an index.

        Raises:
            InvalidInput: The data ends before it.
        """
        word = self.data[WORD * index : WORD * index + WORD]
        if len(word) != WORD:
            raise InvalidInput(f"ABI data ends before word {index}.")
        return word

    def uint(self, index: int, bits: int) -> int:
        """Return the unsigned number at an index.

        Args:
            index: The index of the word.
            bits: The width of the number's type.

        Raises:
            InvalidInput: The data ends before it, or it does not fit the type.
        """
        value = int.from_bytes(self.word(index), "big")
        if value >> bits:
            raise InvalidInput(f"The ABI word {index} does not fit uint{bits}.")
        return value

    def address(self, index: int) -> bytes:
        """Return the 20 bytes of the address at an index.

        Raises:
            InvalidInput: The data ends before it, or the word is not an address.
        """
        return self.uint(index, 160).to_bytes(20, "big")

    def length_at(self, index: int) -> tuple[int, int]:
        """Follow the offset at an index.

        Returns:
            The index of the first word after the length, and the length (a number of bytes or of elements).

        Raises:
            InvalidInput: The offset is not a multiple of a word, or points outside the data.
        """
        offset = self.uint(index, 32)
        if offset % WORD:
            raise InvalidInput(f"The ABI offset at word {index} is not a multiple of 32.")
        start = offset // WORD
        return start + 1, self.uint(start, 32)

    def tail(self, index: int) -> bytes:
        """Return the bytes of the `string` or `bytes` whose offset is at an index.

        Raises:
            InvalidInput: The tail is cut short or its padding is not zero.
        """
        start, length = self.length_at(index)
        raw = self.data[WORD * start : WORD * start + length]
        padding = self.data[WORD * start + length : WORD * start + length + (-length % WORD)]
        if len(raw) != length or len(padding) != -length % WORD or any(padding):
            raise InvalidInput(f"The ABI tail of word {index} is cut short or badly padded.")
        return raw


def text(raw: bytes) -> str:
    """Return a Solidity string for people. Bytes that are not UTF-8 become backslash escapes."""
    return raw.decode(errors="backslashreplace")
