"""Times as the answers have them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: int) -> str:
    """Unix seconds as ISO 8601 in UTC, ending in Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
