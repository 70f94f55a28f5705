"""Column types for the registry's values: stored as raw bytes, returned in their own type."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary
from sqlalchemy.types import TypeDecorator

from registry.base.primitives import FixedBytes

Value = TypeVar("Value", bound=FixedBytes)

ROW_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit number that is a table's whole key. In SQLite only INTEGER makes it the row id itself, which also increments
automatically; every other type needs a second tree beside the table's.
"""


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
        """Return plain bytes for the driver; raise InvalidInput if the length is wrong."""
        if value is None:
            return None
        return bytes(value) if isinstance(value, self.kind) else bytes(self.kind(value))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Value | None:
        """Return the stored bytes in their type."""
        return None if value is None else self.kind(value)
