"""Grants of access to datasets, and requests for them."""

from __future__ import annotations

from typing import Literal

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.sdk.models.result import AsOf, Bool, Int, Number, Page, Place, Result, Time
from registry.sdk.rooms.datasets.models import Status


class Term(Result):
    """The rights of a grant, and the time for which it holds.

    Attributes:
        rights: The rights by name.
        starts_at: When it begins.
        expires_at: When it ends, as it was granted.
        ends_at: When it ends or ended: the earliest of its expiry, revocation and replacement.
    """

    rights: tuple[str, ...]
    starts_at: Time
    expires_at: Time
    ends_at: Time


class Grant(Term):
    """One grant of access.

    Attributes:
        grantee: The account that was granted access.
        state: scheduled, active, expired, revoked or replaced.
        terms_hash: The SHA-256 of the terms; zero for none.
        epoch: The number of the grant among those to this grantee, from 1.
        at: Where it was granted on the chain.
        ended_at: When it was revoked or replaced; None otherwise.
    """

    grantee: Address
    state: Literal["scheduled", "active", "expired", "revoked", "replaced"]
    terms_hash: Bytes32
    epoch: Number
    at: Place
    ended_at: Time | None


class Grants(Page):
    """The grants on a dataset, the newest first.

    Attributes:
        items: The grants.
    """

    items: tuple[Grant, ...]


class AccessRequest(Result):
    """One request for access.

    Attributes:
        grantee: The account that asks.
        rights: The rights by name.
        expires_at: Until when access is asked for.
        purpose: What for, or empty.
        granted: Whether a grant to this account followed.
        at: Where it was made on the chain.
    """

    grantee: Address
    rights: tuple[str, ...]
    expires_at: Time
    purpose: str
    granted: Bool
    at: Place


class AccessRequests(Page):
    """The requests for access to a dataset, the newest first.

    Attributes:
        items: The requests.
    """

    items: tuple[AccessRequest, ...]


class GranteeState(Result):
    """The counters that the next message about a dataset and a grantee must name.

    Attributes:
        epoch: For a grant or a revocation.
        requests: For a request.
    """

    epoch: Int
    requests: Int


class AccessAnswer(AsOf):
    """Whether an account may use a dataset at a time.

    Attributes:
        allowed: Whether it may.
        reason: The state of the grant at that time; active exactly if allowed.
        rights: The rights by name; empty if not allowed.
        term: The grant that decides, also if it is over; None if access was never granted.
        dataset_status: active or withdrawn. A withdrawal ends no grant.
        at: The time that the answer is about.
    """

    allowed: Bool
    reason: Literal["neverGranted", "scheduled", "active", "expired", "revoked"]
    rights: tuple[str, ...]
    term: Term | None
    dataset_status: Status
    at: Time


class RequestPolicyState(Result):
    """Whether a gateway accepts requests for access to a dataset.

    Attributes:
        dataset_id: The dataset.
        accepted: Whether it does.
    """

    dataset_id: DatasetId
    accepted: Bool
