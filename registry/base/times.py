"""Times as the contracts and the API count them: whole Unix seconds, UTC.

Years of five digits have no ISO 8601 form with four-digit years. Machine-readable times beyond the year 9999 are
therefore cut to its last second; texts for people state the Unix time instead.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from registry.base.errors import InvalidInput

LAST_SECOND: Final = 253_402_300_799
"""The last second of the year 9999, Unix seconds, UTC."""
HORIZON_YEARS: Final = 100
HORIZON_SECONDS: Final = HORIZON_YEARS * 36_525 * 864
"""How far ahead a time may lie, in Julian years. A time in milliseconds lies some 55,000 years ahead."""
_MILLISECONDS: Final = 10**11


def utc_datetime(seconds: float) -> datetime:
    """Return a time as a datetime in UTC.

    Args:
        seconds: Unix seconds, UTC; anything after the year 9999 counts as its last second.
    """
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC)


def iso_time(seconds: float) -> str:
    """Return a time in ISO 8601, for example ``2026-01-31T08:00:00Z``.

    Args:
        seconds: Unix seconds, UTC; anything after the year 9999 counts as its last second. Fractions are dropped.
    """
    return iso_datetime(utc_datetime(seconds))


def iso_datetime(moment: datetime) -> str:
    """Return a datetime in ISO 8601, in UTC and without fractions of a second.

    Args:
        moment: The time, with its zone.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(seconds: float) -> str:
    """Return a time in ISO 8601 with milliseconds, for example ``2026-01-31T08:00:00.000Z``.

    Args:
        seconds: Unix seconds, UTC; anything after the year 9999 counts as its last second.
    """
    return utc_datetime(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_time_text(seconds: int) -> str:
    """Return a time for people where ISO 8601 has no form for it, that is after the year 9999.

    Args:
        seconds: Unix seconds, UTC.
    """
    return f"Unix time {seconds}"


def require_near(seconds: int, *, now: float, name: str) -> int:
    """Return a plausible time. A time more than a hundred years ahead is probably in another unit.

    Args:
        seconds: The time, Unix seconds, UTC.
        now: The present, Unix seconds, UTC.
        name: What the time is, for the error.

    Raises:
        InvalidInput: The time is more than a hundred years ahead.
    """
    if seconds <= now + HORIZON_SECONDS:
        return seconds
    raise InvalidInput(
        f"{name} is {seconds}, more than {HORIZON_YEARS} years ahead; expected whole seconds since 1970 (UTC).",
        hint=(
            f"This looks like milliseconds: {seconds // 1000} would be the seconds."
            if seconds >= _MILLISECONDS
            else f"Give a time within {HORIZON_YEARS} years; it can be extended later."
        ),
    )


def time_text(seconds: int) -> str:
    """Return a time (Unix seconds) in UTC, as reports have it."""
    if seconds > LAST_SECOND:
        return unix_time_text(seconds)
    return f"{utc_datetime(seconds):%Y-%m-%d %H:%M:%S} UTC"


def day_text(seconds: int) -> str:
    """Return the day of a time (Unix seconds) in UTC, as reports have it."""
    return time_text(seconds) if seconds > LAST_SECOND else time_text(seconds)[:10]


def show_time(seconds: int) -> str:
    """Return a time (Unix seconds) in ISO 8601, in UTC; after the year 9999 as Unix time."""
    return unix_time_text(seconds) if seconds > LAST_SECOND else iso_time(seconds)
