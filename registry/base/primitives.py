"""Fixed-length byte values that parse strictly and print as hex.

In memory they are bytes. In JSON they are 0x-prefixed lower-case hex of exactly their length (addresses: EIP-55).
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

import sha3
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from registry.base.errors import InvalidInput

MAX_UINT48 = 2**48 - 1
MAX_UINT64 = 2**64 - 1


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 hash that the EVM uses (32 bytes). It is not SHA3-256."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


class FixedBytes(bytes):
    """Bytes of one exact length, written as 0x-prefixed hex."""

    LENGTH: ClassVar[int]
    NOUN: ClassVar[str]

    def __new__(cls, value: bytes) -> Self:
        if len(value) != cls.LENGTH:
            raise InvalidInput(f"{cls.NOUN} has {cls.LENGTH} bytes; got {len(value)}.")
        return bytes.__new__(cls, value)  # Not super(), which is slower: this runs for every value of every log.

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse exact 0x-prefixed hex.

        Args:
            text: ``0x`` and two hex digits per byte.

        Raises:
            InvalidInput: The text has another form or length.
        """
        if not re.fullmatch(f"0x[0-9a-fA-F]{{{2 * cls.LENGTH}}}", text):
            raise InvalidInput(f"{cls.NOUN} is 0x and {2 * cls.LENGTH} hex digits; got {text[:80]!r}.")
        return cls(bytes.fromhex(text[2:]))

    def __str__(self) -> str:
        return f"0x{self.hex()}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise ValueError(f"{cls.NOUN} is a string of 0x and {2 * cls.LENGTH} hex digits.")
        try:
            return cls.parse(value)
        except InvalidInput as error:
            raise ValueError(error.message) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^0x[0-9a-fA-F]{{{2 * cls.LENGTH}}}$", "description": cls.NOUN}


class Bytes32(FixedBytes):
    """Any 32 bytes: a hash, a root, a head, a salt."""

    LENGTH = 32
    NOUN = "A 32-byte value"


class DatasetId(Bytes32):
    """The id of a dataset: the ERC-721 token id as 32 bytes, big-endian."""

    NOUN = "A dataset id"

    @classmethod
    def from_int(cls, value: int) -> Self:
        """Return the id for a contract's uint256."""
        return cls(value.to_bytes(32, "big"))

    def __int__(self) -> int:
        return int.from_bytes(self, "big")


class Address(FixedBytes):
    """An Ethereum account, printed with its EIP-55 checksum."""

    LENGTH = 20
    NOUN = "An address"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address. Where its letters have mixed case, the EIP-55 checksum must be right.

        Args:
            text: ``0x`` and 40 hex digits.

        Raises:
            InvalidInput: The text is not an address, or its checksum is wrong.
        """
        address = super().parse(text)
        digits = text[2:]
        if digits not in (digits.lower(), digits.upper()) and str(address) != text:
            raise InvalidInput(
                f"The address {text} has a wrong EIP-55 checksum; the right spelling is {address!s}.",
                hint="Compare it with its source; a letter may be mistyped.",
            )
        return address

    def __str__(self) -> str:
        digits = self.hex()
        nibbles = keccak256(digits.encode()).hex()
        return "0x" + "".join(
            digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, nibbles, strict=False)
        )


ZERO_ADDRESS = Address(bytes(20))
ZERO_BYTES32 = Bytes32(bytes(32))
