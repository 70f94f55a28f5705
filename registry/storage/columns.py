"""Column types for the registry's values: stored as raw bytes, given back as the type they were."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary
from sqlalchemy.types import TypeDecorator

from registry.base.primitives import FixedBytes

Value = TypeVar("Value", bound=FixedBytes)

ROW_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""A number of 64 bits that is a table's whole key. In SQLite only INTEGER makes it the number of the row itself: every
other type has a second tree beside the table's. It is what counts up by itself, too."""


class Fixed(TypeDecorator[Value], Generic[Value]):
    """Bytes of one fixed length (BLOB in SQLite, BYTEA in PostgreSQL).

    Args:
        kind: The type of the values, for example ``Bytes32``.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: type[Value]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> bytes | None:
        """Gives the driver plain bytes, of the right length or not at all."""
        if value is None:
            return None
        return bytes(value) if isinstance(value, self.kind) else bytes(self.kind(value))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Value | None:
        """Makes the value of what was stored."""
        return None if value is None else self.kind(value)
