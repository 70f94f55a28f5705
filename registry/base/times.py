"""Times as the contracts and the API count them: whole Unix seconds, UTC; and which of them can be meant."""

from __future__ import annotations

from typing import Final

from registry.base.errors import InvalidInput

LAST_SECOND: Final = 253_402_300_799
"""The last second of the year 9999: the last that ISO 8601 with years of four digits can write."""
HORIZON_YEARS: Final = 100
HORIZON_SECONDS: Final = HORIZON_YEARS * 36_525 * 864
"""How far ahead a time may lie. What is counted in milliseconds lies some 55,000 years ahead. (Julian years.)"""
_MILLISECONDS: Final = 10**11


def require_near(seconds: int, *, now: float, name: str) -> int:
    """Return a time that may be meant; one beyond the horizon is more likely another unit.

    Args:
        seconds: The time, Unix seconds.
        now: The present, Unix seconds.
        name: What the time is, for the error.

    Raises:
        InvalidInput: It lies more than a hundred years ahead.
    """
    if seconds <= now + HORIZON_SECONDS:
        return seconds
    raise InvalidInput(
        f"{name} is {seconds}, more than {HORIZON_YEARS} years ahead: times are in whole seconds since 1970 (UTC).",
        hint=(
            f"This looks like milliseconds: {seconds // 1000} would be the seconds."
            if seconds >= _MILLISECONDS
            else f"Give one within {HORIZON_YEARS} years; what is to hold longer can be renewed."
        ),
    )
