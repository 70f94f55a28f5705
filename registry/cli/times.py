"""Times as people write and read them on the command line. All are UTC where no zone is given."""

from __future__ import annotations

import re
import time as clock
from datetime import UTC, datetime

from registry.base.errors import InvalidInput
from registry.base.times import HORIZON_SECONDS, HORIZON_YEARS, LAST_SECOND, iso_time, unix_time_text

_DURATION = re.compile(r"(?:\d{1,15}[wdhms])+", re.ASCII)
_NUMBER = re.compile(r"\d{9,}", re.ASCII)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
FORMS = "an ISO 8601 date or time (UTC without a zone), as 2027-01-31 or 2027-01-31T18:00+08:00, or a duration from now"
_EXAMPLES = "30d, 2h, 1h30m or 45s"


def parse_time(text: str, *, now: int) -> int:
    """A time, from an ISO 8601 date (its beginning) or time, or a duration from now on.

    Args:
        text: Without a zone, UTC is meant.
        now: Unix seconds, UTC.

    Raises:
        InvalidInput: It is none of these, or no such time exists.

    Returns:
        Unix seconds, UTC; a fraction of a second is cut off.
    """
    if text == "now":
        return now
    if _NUMBER.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} is a bare number, of seconds or milliseconds: give {FORMS}, as {_EXAMPLES}.")
    if _DURATION.fullmatch(text):
        time = now + duration(text)
    else:
        try:
            moment = datetime.fromisoformat(text)
            time = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            raise InvalidInput(f"{text[:80]!r} is no time: give {FORMS}, as {_EXAMPLES}.") from None
    if time < 0:
        raise InvalidInput(f"The time {text[:80]!r} is before 1970.")
    if time > now + HORIZON_SECONDS:
        raise InvalidInput(
            f"The time {text[:80]!r} is more than {HORIZON_YEARS} years ahead.",
            hint=f"Give one within {HORIZON_YEARS} years, as 36500d; what is to hold longer can be renewed.",
        )
    return time


def require_time(text: str) -> None:
    """Require that a text is a time or a duration, before anything is asked of anybody.

    Raises:
        InvalidInput: It is neither.
    """
    parse_time(text, now=int(clock.time()))


def duration(text: str) -> int:
    """The seconds of a duration such as ``30d``, ``2h`` or ``1h30m``.

    Raises:
        InvalidInput: It is none.
    """
    if not _DURATION.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} is no duration: give numbers with w, d, h, m or s, as {_EXAMPLES}.")
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))


def show_time(seconds: int) -> str:
    """A time in ISO 8601, in UTC, as the gateway writes it."""
    return unix_time_text(seconds) if seconds > LAST_SECOND else iso_time(seconds)


def for_people(moment: object) -> str:
    """A time of the gateway (ISO 8601) as a person reads it, its zone named."""
    text = "" if moment is None else str(moment)
    return f"{text[:10]} {text[11:19]} UTC" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) else text
