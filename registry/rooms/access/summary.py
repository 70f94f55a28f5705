"""A summary of a grantee's access to a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from registry.base.primitives import Address
from registry.rooms.access.records import Access, AccessState, rights_names


@dataclass(frozen=True, slots=True)
class GranteeSummary:
    """One grantee's access at a time. Times are Unix seconds, UTC; they are None if access was never granted.

    Args:
        grantee: The grantee.
        state: The state of the latest grant at that time.
        rights: The names of the rights of that grant.
        starts_at: When it starts.
        expires_at: When it ends (exclusive), as it was granted.
        ends_at: When it ends or ended (exclusive): at its expiry, or at its revocation if that came first.
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


def summaries_of(access: Mapping[Address, Access | None], time: int) -> tuple[GranteeSummary, ...]:
    """Return each grantee's access at a time (Unix seconds, UTC)."""
    return tuple(GranteeSummary.of(grantee, known, time) for grantee, known in access.items())
