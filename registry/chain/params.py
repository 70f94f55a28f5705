"""Parse the parameters of JSON-RPC requests strictly, so that a mistake is an error and never a different meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from registry.chain.client import INVALID_PARAMS, RpcError

_QUANTITY = re.compile("0x[0-9a-fA-F]{1,64}")
_DATA = re.compile("0x(?:[0-9a-fA-F]{2})*")


def quantity(value: object, name: str) -> int:
    """Return a number written as 0x-prefixed hex of at most 256 bits.

    Args:
        value: The parameter.
        name: Its name, for the error.

    Raises:
        RpcError: The value has another form.
    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise _invalid(name, "a number as 0x-prefixed hex", value)
    return int(value, 16)


def data(value: object, name: str, length: int | None = None) -> bytes:
    """Return bytes written as 0x-prefixed hex.

    Args:
        value: The parameter.
        name: Its name, for the error.
        length: The required number of bytes; None: any.

    Raises:
        RpcError: The value has another form or length.
    """
    if (
        not isinstance(value, str)
        or not _DATA.fullmatch(value)
        or (length is not None and len(value) != 2 + 2 * length)
    ):
        raise _invalid(
            name, "bytes as 0x-prefixed hex" if length is None else f"{length} bytes as 0x-prefixed hex", value
        )
    return bytes.fromhex(value[2:])


def flag(value: object, name: str) -> bool:
    """Return a boolean.

    Args:
        value: The parameter.
        name: Its name, for the error.

    Raises:
        RpcError: The value is not true or false.
    """
    if not isinstance(value, bool):
        raise _invalid(name, "true or false", value)
    return value


def fields(value: object, name: str, allowed: frozenset[str]) -> Mapping[str, Any]:
    """Return an object without its null fields.

    Args:
        value: The parameter.
        name: Its name, for the error.
        allowed: The fields that it may have.

    Raises:
        RpcError: The value is not an object, or has other fields.
    """
    if not isinstance(value, Mapping):
        raise _invalid(name, "an object", value)
    unknown = sorted(str(key) for key in value if key not in allowed)
    if unknown:
        raise RpcError(INVALID_PARAMS, f"invalid argument: {name} has unknown fields: {', '.join(unknown)[:200]}")
    return {key: item for key, item in value.items() if item is not None}


def _invalid(name: str, expected: str, value: object) -> RpcError:
    return RpcError(INVALID_PARAMS, f"invalid argument: {name} must be {expected}, got {str(value)[:80]!r}")
