"""What a verified record says at a glance: which version, whose, since when, whether it still holds, who may use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from registry.base.primitives import Address, Bytes32
from registry.base.times import LAST_SECOND, unix_time_text, utc_datetime
from registry.rooms.access.records import Access, AccessState, rights_names
from registry.rooms.datasets.records import Dataset


@dataclass(frozen=True, slots=True)
class GranteeSummary:
    """One grantee's access at a time. Times are Unix seconds, UTC; they are None where nothing was ever granted.

    Args:
        grantee: Who.
        state: What has become of their latest grant by that time.
        rights: The names of the rights of that grant.
        starts_at: When it begins.
        expires_at: When it ends (exclusive), as it was granted.
        ends_at: When it ends or ended (exclusive): at its expiry, or when it was revoked before.
    """

    grantee: Address
    state: AccessState
    rights: tuple[str, ...]
    starts_at: int | None
    expires_at: int | None
    ends_at: int | None

    @classmethod
    def of(cls, grantee: Address, access: Access | None, time: int) -> Self:
        """Return the access of a grantee at a time (Unix seconds, UTC)."""
        grant = None if access is None else access.deciding_grant(time)
        if grant is None:
            return cls(grantee, AccessState.NEVER_GRANTED, (), None, None, None)
        rights = rights_names(grant.rights)
        return cls(grantee, grant.state_at(time), rights, grant.starts_at, grant.expires_at, grant.until)


@dataclass(frozen=True, slots=True)
class Summary:
    """A version of a dataset as of a block. Times are Unix seconds, UTC.

    Args:
        version: The version's number.
        latest_version: The number of the dataset's latest version.
        content_root: The version's content root.
        registrant: Who owned the dataset when the version was registered.
        registered_block: The block in which it was.
        registered_at: That block's time.
        first_owner: Who registered the dataset's first version.
        owner: Who owns the dataset.
        withdrawn_at: When the dataset was withdrawn, or None.
    """

    version: int
    latest_version: int
    content_root: Bytes32
    registrant: Address
    registered_block: int
    registered_at: int
    first_owner: Address
    owner: Address
    withdrawn_at: int | None

    @classmethod
    def of(cls, dataset: Dataset, number: int) -> Self:
        """Return the summary of a version of a dataset."""
        version = dataset.versions[number - 1]
        return cls(
            version=number,
            latest_version=dataset.latest.number,
            content_root=version.content_root,
            registrant=next(title.owner for title in reversed(dataset.titles) if title.since <= version.at),
            registered_block=version.at.block_number,
            registered_at=version.at.timestamp,
            first_owner=dataset.titles[0].owner,
            owner=dataset.owner,
            withdrawn_at=None if dataset.withdrawal is None else dataset.withdrawal.at.timestamp,
        )

    @property
    def is_latest(self) -> bool:
        """Whether no later version followed."""
        return self.version == self.latest_version

    @property
    def status(self) -> str:
        """Return "active" or "withdrawn"."""
        return "active" if self.withdrawn_at is None else "withdrawn"


def headline(version: int, latest: int, *, is_withdrawn: bool, withdrawn_at: int | None = None) -> str:
    """Return the verdict on what was verified, with what an auditor must not overlook.

    Args:
        version: The version that was verified.
        latest: The latest version.
        is_withdrawn: Whether the dataset is withdrawn.
        withdrawn_at: When it was, Unix seconds, UTC; None where that is not known.
    """
    when = "" if withdrawn_at is None else f" ON {day_text(withdrawn_at)}"
    buts = [
        *([f"VERSION {version} OF {latest}"] if version != latest else []),
        *([f"WITHDRAWN{when}"] if is_withdrawn else []),
    ]
    return f"VERIFIED, BUT {' AND '.join(buts)}" if buts else "VERIFIED"


def summaries_of(access: Mapping[Address, Access | None], time: int) -> tuple[GranteeSummary, ...]:
    """Return each grantee's access at a time (Unix seconds, UTC)."""
    return tuple(GranteeSummary.of(grantee, known, time) for grantee, known in access.items())


def day_text(seconds: int) -> str:
    """Return the day of a time (Unix seconds) in UTC, as reports have it."""
    return time_text(seconds) if seconds > LAST_SECOND else time_text(seconds)[:10]


def time_text(seconds: int) -> str:
    """Return a time (Unix seconds) in UTC, as reports have it."""
    if seconds > LAST_SECOND:
        return unix_time_text(seconds)
    return f"{utc_datetime(seconds):%Y-%m-%d %H:%M:%S} UTC"
