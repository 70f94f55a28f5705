"""Names and descriptions in metadata, cut to a maximum length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAX_NAME: Final = 500
MAX_DESCRIPTION: Final = 10_000


def named(metadata: object, field: str, maximum: int) -> str | None:
    """Return a text field of metadata, or None if it is absent, empty or not a string.

    A NUL becomes a space, because PostgreSQL's text cannot hold one.

    Args:
        metadata: A JSON value.
        field: The field's name.
        maximum: The maximum length in characters.
    """
    value = metadata.get(field) if isinstance(metadata, Mapping) else None
    return value.replace("\0", " ").strip()[:maximum] or None if isinstance(value, str) else None
