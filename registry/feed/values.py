"""The values of an event as JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic.alias_generators import to_camel

from registry.base.primitives import FixedBytes


def event_values(event: Any) -> dict[str, Any]:
    """Return the values of an event under their names in camelCase.

    Hashes, ids and addresses are hex strings, Solidity strings are texts. A string that is not UTF-8 is an object with
    its bytes as `hex`.

    Args:
        event: A decoded event: a dataclass with the values of the Solidity event.
    """
    return {to_camel(field.name): _json(getattr(event, field.name)) for field in fields(event)}


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if isinstance(value, FixedBytes):
        return str(value)
    if isinstance(value, bytes):
        return _text(value)
    return value.to_json() if hasattr(value, "to_json") else value


def _text(raw: bytes) -> str | dict[str, str]:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"hex": f"0x{raw.hex()}"}
