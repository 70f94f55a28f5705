"""Times as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from registry.base.errors import InvalidInput
from registry.cli.output import one_line, plain
from registry.cli.times import duration, for_people, parse_time, show_time

NOW = 1_800_000_000  # `date -u -d @1800000000`: 2027-01-15 08:00:00


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", NOW),
        ("45s", NOW + 45),
        ("2h", NOW + 7200),
        ("1h30m", NOW + 5400),
        ("30d", NOW + 2_592_000),
        ("1w", NOW + 604_800),
        ("2027-01-15", NOW - 8 * 3600),
        ("2027-01-15T08:00:00", NOW),
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T16:00:00+08:00", NOW),
        ("2027-01-15 08:00", NOW),
        ("2027-01-15T08:00:00.999Z", NOW),
        ("1970-01-01", 0),
        ("20270115", NOW - 8 * 3600),
        ("36500d", NOW + 3_153_600_000),
    ],
)
def test_a_time_is_read_and_without_a_zone_it_is_utc(text: str, seconds: int) -> None:
    assert parse_time(text, now=NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "1800000000",
        "1800000000000",
        "2027013110800",
        "2130-01-01",
        "9999-12-31",
        "37000d",
        "1 day",
        "-1d",
        "1.5h",
        "2027-02-30",
        "2027-13-01",
        "1969-12-31",
        "99999999999w",
        "٣d",
        f"{'9' * 5000}d",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_time(text, now=NOW)


@pytest.mark.parametrize("text", ["", "1", "d", "2027-01-15", f"{'9' * 5000}d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        duration(text)


def test_times_are_shown_with_their_zone() -> None:
    assert show_time(NOW) == "2027-01-15T08:00:00Z"
    assert for_people(datetime(2027, 1, 15, 8, tzinfo=UTC)) == "2027-01-15 08:00:00 UTC"
    assert for_people(None) == ""
    assert show_time(2**48) == "Unix time 281474976710656"


def test_text_of_others_is_made_harmless_and_stays_readable() -> None:
    assert plain("企鹅 é 🐧") == "企鹅 é 🐧"
    assert plain("a\nb\x1b[31m\u202e\x9b\udcff") == "a\\nb\\x1b[31m\\u202e\\x9b\\udcff"
    assert one_line("a\n  b\tc") == "a b c"
