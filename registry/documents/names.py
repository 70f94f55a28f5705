"""The names that people give: what metadata says, cut to a bearable length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAX_NAME: Final = 500
MAX_DESCRIPTION: Final = 10_000


def named(metadata: object, field: str, maximum: int) -> str | None:
    """A text field of metadata, or None if it is absent, empty or no text.

    PostgreSQL's text holds no NUL, and nobody can read one: it becomes a space.
    """
    value = metadata.get(field) if isinstance(metadata, Mapping) else None
    return value.replace("\0", " ").strip()[:maximum] or None if isinstance(value, str) else None
