"""Report access to a dataset from a verified bundle: at its block, and now if nothing has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from registry.base.primitives import Address
from registry.base.times import show_time, time_text
from registry.evidence.verify import Verified
from registry.rooms.access.protocol import PROTOCOL as ACCESS
from registry.rooms.access.records import Access, AccessState
from registry.rooms.access.summary import GranteeSummary, summaries_of

WORDS: Final = {
    AccessState.NEVER_GRANTED: "never granted",
    AccessState.SCHEDULED: "not begun",
    AccessState.ACTIVE: "in force",
    AccessState.EXPIRED: "expired",
    AccessState.REVOKED: "revoked",
}
"""The states in words."""


def access_of(verified: Verified) -> Mapping[Address, Access | None]:
    """Return the record of each grantee shown; None for a grantee without events."""
    return verified.history.states(ACCESS.name)


def to_json(verified: Verified, now: int) -> list[Mapping[str, object]]:
    """Return the access of each grantee in a bundle.

    Args:
        verified: The verified content of the bundle.
        now: The current time, Unix seconds, UTC.

    Returns:
        For each grantee: `grantee`, `state` at the bundle's block, `stateNow` by the same record, `rights`, `startsAt`,
        `expiresAt` as granted, `endsAt`; times are null where access was never granted.
    """
    later = {one.grantee: one for one in summaries_of(access_of(verified), now)}
    return [
        {
            "grantee": str(one.grantee),
            "state": str(one.state),
            "stateNow": str(later[one.grantee].state),
            **term_json(one),
        }
        for one in summaries_of(access_of(verified), verified.record.block.time)
    ]


def at(verified: Verified, grantee: Address, moment: int) -> GranteeSummary | None:
    """Return one grantee's access at a time (Unix seconds, UTC); None if the bundle does not contain the grantee."""
    if grantee not in access_of(verified):
        return None
    return GranteeSummary.of(grantee, access_of(verified)[grantee], moment)


def term_json(one: GranteeSummary) -> dict[str, object]:
    """Return the rights and term of a grantee as JSON members."""
    return {
        "rights": list(one.rights),
        "startsAt": _time_or_null(one.starts_at),
        "expiresAt": _time_or_null(one.expires_at),
        "endsAt": _time_or_null(one.ends_at),
    }


def lines(verified: Verified, now: int) -> Iterable[str]:
    """Return one line for each grantee in a bundle; the arguments are those of `to_json`."""
    later = {one.grantee: one.state for one in summaries_of(access_of(verified), now)}
    for one in summaries_of(access_of(verified), verified.record.block.time):
        by_now = "" if later[one.grantee] == one.state else f"; by now {WORDS[later[one.grantee]]}"
        yield f"{one.grantee}: {WORDS[one.state]}{by_now}{term_text(one)}"


def term_text(one: GranteeSummary) -> str:
    """Return the rights and term of a grantee in words; empty where access was never granted."""
    if one.starts_at is None or one.expires_at is None or one.ends_at is None:
        return ""
    ended = f", ended {time_text(one.ends_at)}" if one.ends_at < one.expires_at else ""
    return f"; {', '.join(one.rights)}; from {time_text(one.starts_at)} until {time_text(one.expires_at)}{ended}"


def _time_or_null(seconds: int | None) -> str | None:
    return None if seconds is None else show_time(seconds)
