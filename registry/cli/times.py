"""Parse and show times on the command line. Times without a zone are UTC."""

from __future__ import annotations

import re
import time as clock
from datetime import UTC, datetime

from registry.base.errors import InvalidInput
from registry.base.times import HORIZON_SECONDS, HORIZON_YEARS, show_time

__all__ = ["FORMS", "duration", "for_people", "parse_time", "require_time", "show_time"]

_DURATION = re.compile(r"(?:\d{1,15}[wdhms])+", re.ASCII)
_NUMBER = re.compile(r"\d{9,}", re.ASCII)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
FORMS = (
    "an ISO 8601 date or time (UTC without a zone), such as 2027-01-31 or 2027-01-31T18:00+08:00, or a duration from "
    "now"
)
_EXAMPLES = "30d, 2h, 1h30m or 45s"


def parse_time(text: str, *, now: int) -> int:
    """Parse an ISO 8601 date (its first second) or time, or a duration from now.

    Args:
        text: The text; without a zone it is UTC.
        now: Unix seconds, UTC.

    Returns:
        Unix seconds, UTC, rounded down.

    Raises:
        InvalidInput: The text has another form, or there is no such time.
    """
    if text == "now":
        return now
    if _NUMBER.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} is a number without a unit. Give {FORMS}, such as {_EXAMPLES}.")
    if _DURATION.fullmatch(text):
        time = now + duration(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
            time = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            raise InvalidInput(f"Not a time: {text[:80]!r}. Give {FORMS}, such as {_EXAMPLES}.") from None
    if time < 0:
        raise InvalidInput(f"The time {text[:80]!r} is before 1970.")
    if time > now + HORIZON_SECONDS:
        raise InvalidInput(
            f"The time {text[:80]!r} is more than {HORIZON_YEARS} years ahead.",
            hint=f"Give a time within {HORIZON_YEARS} years, such as 36500d, and renew it later.",
        )
    return time


def require_time(text: str) -> None:
    """Require that a text is a time or a duration, before any request or prompt.

    Raises:
        InvalidInput: It is neither.
    """
    parse_time(text, now=int(clock.time()))


def duration(text: str) -> int:
    """Return the seconds of a duration such as ``30d``, ``2h`` or ``1h30m``.

    Raises:
        InvalidInput: It is not a duration.
    """
    if not _DURATION.fullmatch(text):
        raise InvalidInput(f"Not a duration: {text[:80]!r}. Give numbers with w, d, h, m or s, such as {_EXAMPLES}.")
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def for_people(moment: datetime | None) -> str:
    """Return a time in UTC as a person reads it; empty for None."""
    return "" if moment is None else f"{moment.astimezone(UTC).isoformat(' ', 'seconds')[:19]} UTC"
