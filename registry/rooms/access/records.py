"""The record of a grantee's access to a dataset, folded from its events in the order of the chain; rights by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.abi import text
from registry.ethereum.logs import Moment
from registry.rooms.access.events import AccessEvent, AccessGranted, AccessRequested, AccessRevoked

RIGHTS = ("read", "derive", "aggregate", "reproduce", "distribute", "display", "extract", "index")
"""The rights by bit, the lowest first, named as the actions of the ODRL vocabulary (2.2).

The contract gives bits no meaning; a bit without a name here prints as ``bit-N``.
"""


def rights_mask(names: Iterable[str]) -> int:
    """Return the bit mask of some rights.

    Raises:
        InvalidInput: A name is unknown, or no name is given.
    """
    mask = 0
    for name in names:
        if name not in RIGHTS:
            raise InvalidInput(f"Unknown right {name!r}.", hint=f"The rights are: {', '.join(RIGHTS)}.")
        mask |= 1 << RIGHTS.index(name)
    if not mask:
        raise InvalidInput("No right was given.", hint=f"Give one or more of: {', '.join(RIGHTS)}.")
    return mask


def rights_names(mask: int) -> tuple[str, ...]:
    """Return the names of the rights whose bits are set, ascending by bit."""
    return tuple(
        RIGHTS[bit] if bit < len(RIGHTS) else f"bit-{bit}" for bit in range(mask.bit_length()) if mask >> bit & 1
    )


class AccessState(StrEnum):
    """The state of a grantee's access at a time."""

    NEVER_GRANTED = "neverGranted"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


def state_of(time: int, starts_at: int, expires_at: int, revoked_at: int | None) -> AccessState:
    """Return the state of a grant at a time. All times are Unix seconds, UTC.

    Args:
        time: The time.
        starts_at: The start of the grant.
        expires_at: Its expiry (exclusive).
        revoked_at: The time of its revocation, or None. A revocation at the expiry or later has no effect.
    """
    if revoked_at is not None and revoked_at < expires_at:
        if time >= revoked_at:
            return AccessState.REVOKED
    elif time >= expires_at:
        return AccessState.EXPIRED
    return AccessState.SCHEDULED if time < starts_at else AccessState.ACTIVE


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant and its end.

    Args:
        rights: The rights, one bit each.
        starts_at: The start, Unix seconds, UTC.
        expires_at: The expiry as granted (exclusive), Unix seconds, UTC.
        terms_hash: SHA-256 of the terms, or zero.
        at: The moment of the grant.
        ended: The moment at which it was revoked or replaced by a later grant; None if neither happened.
        is_revoked: Whether it ended by a revocation.
    """

    rights: int
    starts_at: int
    expires_at: int
    terms_hash: Bytes32
    at: Moment
    ended: Moment | None
    is_revoked: bool

    @property
    def until(self) -> int:
        """The end, by expiry or earlier (exclusive), Unix seconds, UTC."""
        return self.expires_at if self.ended is None else min(self.expires_at, self.ended.timestamp)

    def holds_at(self, time: int) -> bool:
        """Return whether it is active at a time (Unix seconds, UTC): started, not expired and not ended."""
        return self.starts_at <= time < self.until

    def state_at(self, time: int) -> AccessState:
        """Return its state at a time (Unix seconds, UTC) before any later grant replaced it."""
        revoked = self.ended.timestamp if self.is_revoked and self.ended is not None else None
        return state_of(time, self.starts_at, self.expires_at, revoked)


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One request for access."""

    rights: int
    expires_at: int
    purpose: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Access:
    """The record of one grantee's access to one dataset.

    Args:
        dataset_id: The dataset.
        grantee: The grantee.
        epoch: The number of grants and revocations.
        grants: All grants, ascending by time.
        requests: All requests, ascending by time.
    """

    dataset_id: DatasetId
    grantee: Address
    epoch: int
    grants: tuple[Grant, ...]
    requests: tuple[AccessRequest, ...]

    def deciding_grant(self, time: int) -> Grant | None:
        """Return the grant that decides the state at a time (Unix seconds, UTC): the latest by then, else the first."""
        earlier = [grant for grant in self.grants if grant.at.timestamp <= time]
        return (earlier[-1:] or self.grants[:1] or (None,))[0]

    def grant_at(self, time: int) -> Grant | None:
        """Return the grant that is active at a time (Unix seconds, UTC), or None."""
        return next((grant for grant in reversed(self.grants) if grant.holds_at(time)), None)


def fold(access: Access | None, event: AccessEvent, at: Moment) -> Access:
    """Return the record after one more event; the record before the first event is None.

    Raises:
        InvalidInput: The event cannot follow the record, so the events are not the full history.
    """
    if access is None:
        access = Access(event.dataset_id, event.grantee, 0, (), ())
    match event:
        case AccessRequested() if event.requests == len(access.requests) + 1:
            request = AccessRequest(event.rights, event.expires_at, text(event.purpose), at)
            return replace(access, requests=(*access.requests, request))
        case AccessGranted() if event.epoch == access.epoch + 1:
            grant = Grant(event.rights, event.starts_at, event.expires_at, event.terms_hash, at, None, False)
            return replace(access, epoch=event.epoch, grants=(*_ended(access.grants, at, False), grant))
        case AccessRevoked() if event.epoch == access.epoch + 1 and access.grants:
            return replace(access, epoch=event.epoch, grants=_ended(access.grants, at, True))
    raise InvalidInput(
        f"The event {type(event).__name__} cannot follow the known access of {access.grantee} to {access.dataset_id}."
    )


def _ended(grants: tuple[Grant, ...], at: Moment, is_revoked: bool) -> tuple[Grant, ...]:
    if not grants or grants[-1].ended is not None:
        return grants
    return (*grants[:-1], replace(grants[-1], ended=at, is_revoked=is_revoked))
