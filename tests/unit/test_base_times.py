"""Times in ISO 8601, and beyond the year 9999."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from registry.base.times import iso_datetime, iso_milliseconds, iso_time, unix_time_text, utc_datetime

LAST = 253_402_300_799  # `date -u -d 9999-12-31T23:59:59Z +%s`


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_800_000_000, "2027-01-15T08:00:00Z"),  # `date -u -d @1800000000`
        (1_800_000_000.999, "2027-01-15T08:00:00Z"),
        (LAST, "9999-12-31T23:59:59Z"),
        (LAST + 1, "9999-12-31T23:59:59Z"),
        (2**64 - 1, "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time_is_written_to_the_second_and_never_beyond_the_year_9999(seconds: float, text: str) -> None:
    assert iso_time(seconds) == text


def test_milliseconds_are_kept_where_they_are_asked_for() -> None:
    assert iso_milliseconds(1_800_000_000.25) == "2027-01-15T08:00:00.250Z"


def test_a_datetime_in_another_zone_is_written_in_utc() -> None:
    moment = datetime(2027, 1, 15, 16, 0, tzinfo=timezone(timedelta(hours=8)))
    assert iso_datetime(moment) == "2027-01-15T08:00:00Z"
    assert utc_datetime(1_800_000_000) == moment


def test_a_time_without_an_iso_form_is_shown_as_unix_time() -> None:
    assert unix_time_text(LAST + 1) == "Unix time 253402300800"
