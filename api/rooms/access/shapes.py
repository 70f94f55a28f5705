"""The JSON of access."""

from __future__ import annotations

from api import shapes
from api.shapes import Json
from registry.base.times import iso_time
from registry.ethereum.abi import text
from registry.index.pages import Snapshot
from registry.rooms.access.queries import AccessItem, GranteeItem, GrantItem, RequestItem
from registry.rooms.access.records import AccessState, rights_names, state_of


def grant(row: GrantItem, now: int) -> Json:
    """Return a grant, with its state at a time (Unix seconds, UTC)."""
    return {
        "grantee": shapes.address(row.grantee),
        "rights": list(rights_names(row.rights)),
        "rightsMask": row.rights,
        "startsAt": iso_time(row.starts_at),
        "expiresAt": iso_time(row.expires_at),
        "endsAt": iso_time(_end(row)),
        "endedAt": shapes.time_or_null(row.ended_at),
        "state": _grant_state(row, now),
        "termsHash": shapes.hexed(row.terms_hash),
        "epoch": row.epoch,
        "at": shapes.place(row.at),
    }


def request(row: RequestItem) -> Json:
    """Return a request for access by a known grantee."""
    return {
        "rights": list(rights_names(row.event.rights)),
        "rightsMask": row.event.rights,
        "expiresAt": iso_time(row.event.expires_at),
        "purpose": text(row.event.purpose),
        "at": shapes.place(row.at),
    }


def listed_request(row: RequestItem) -> Json:
    """Return a request for access as a row of a list."""
    return {"grantee": shapes.address(row.event.grantee), **request(row), "granted": bool(row.is_granted)}


def grantee(snapshot: Snapshot[GranteeItem], now: int) -> Json:
    """Return the state of a grantee, with the states of grants at a time (Unix seconds, UTC)."""
    row = snapshot.value
    return {
        "epoch": row.epoch,
        "requests": row.requests,
        "grants": [grant(item, now) for item in row.grants],
        "accessRequests": [request(item) for item in row.access_requests],
    } | shapes.as_of(snapshot.as_of)


def access(snapshot: Snapshot[AccessItem], time: int) -> Json:
    """Return whether an account may use a dataset at a time (Unix seconds, UTC), why or why not, and the term."""
    row = snapshot.value.grant
    state, term = AccessState.NEVER_GRANTED, None
    if row is not None:
        state = state_of(time, row.starts_at, row.expires_at, row.ended_at if row.is_revoked else None)
        term = {
            "rights": list(rights_names(row.rights)),
            "startsAt": iso_time(row.starts_at),
            "expiresAt": iso_time(row.expires_at),
            "endsAt": iso_time(_end(row)),
        }
    allowed = term if state is AccessState.ACTIVE else None
    return {
        "allowed": allowed is not None,
        "reason": str(state),
        "rights": allowed["rights"] if allowed else [],
        "startsAt": allowed["startsAt"] if allowed else None,
        "expiresAt": allowed["endsAt"] if allowed else None,
        "term": term,
        "datasetStatus": "withdrawn" if snapshot.value.is_withdrawn else "active",
        "at": iso_time(time),
    } | shapes.as_of(snapshot.as_of)


def _end(row: GrantItem) -> int:
    return row.expires_at if row.ended_at is None else min(row.expires_at, row.ended_at)


def _grant_state(row: GrantItem, now: int) -> str:
    """Return the state of a grant at a time. An end after its expiry changed nothing."""
    if row.ended_at is not None and row.ended_at < row.expires_at:
        return "revoked" if row.is_revoked else "replaced"
    if now >= row.expires_at:
        return "expired"
    return "scheduled" if now < row.starts_at else "active"
