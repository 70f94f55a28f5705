"""The answers about access to datasets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.answers import Answer, AsOf, Page, Place, Time
from api.rooms.datasets.answers import DatasetStatus
from registry.base.primitives import Address, Bytes32, DatasetId

Rights = Annotated[list[str], Field(description="The rights by name.", examples=[["read", "derive"]])]


class GrantItem(Answer):
    """One grant of access."""

    grantee: Address
    rights: Rights
    rights_mask: int = Field(ge=0, lt=2**32)
    starts_at: Time
    expires_at: Time = Field(description="As it was given.")
    ends_at: Time = Field(description="When it ends or ended: the earlier of its expiry, revocation or replacement.")
    state: Literal["scheduled", "active", "expired", "revoked", "replaced"]
    terms_hash: Bytes32
    epoch: int = Field(ge=1)
    at: Place
    ended_at: Time | None = Field(description="When it was revoked or replaced, if it was.")


class GrantPage(Page[GrantItem]):
    """A page of grants."""


class GranteeRequest(Answer):
    """One request for access by a known grantee."""

    rights: Rights
    rights_mask: int = Field(ge=0, lt=2**32)
    expires_at: Time
    purpose: str
    at: Place


class AccessRequestItem(GranteeRequest):
    """One request for access."""

    grantee: Address = Field(description="Who asks.")
    granted: bool = Field(description="Whether a grant to them followed, whatever has become of it.")


class AccessRequestPage(Page[AccessRequestItem]):
    """A page of requests for access."""


class Grantee(AsOf):
    """What is known of one grantee and one dataset."""

    epoch: int = Field(description="The epoch that the next grant or revocation must name.")
    requests: int = Field(description="The number of requests that the next request must name.")
    grants: list[GrantItem]
    access_requests: list[GranteeRequest]


class AccessTerm(Answer):
    """The grant that decides about a time: the latest given by then, else the first."""

    rights: Rights
    starts_at: Time
    expires_at: Time = Field(description="As it was given.")
    ends_at: Time = Field(description="When it ends or ended: the earlier of its expiry, revocation or replacement.")


class AccessAnswer(AsOf):
    """Whether an account may use a dataset at a time, and why or why not."""

    allowed: bool
    reason: Literal["neverGranted", "scheduled", "active", "expired", "revoked"] = Field(
        description="What has become of the grant by that time; `active` exactly if allowed. `scheduled`: not started."
    )
    rights: Rights = Field(description="Empty where not allowed.")
    starts_at: Time | None = Field(description="Null where not allowed; the former term is in `term`.")
    expires_at: Time | None = Field(description="When it ends or ended; null where not allowed.")
    term: AccessTerm | None = Field(description="The grant, whatever has become of it; null where none was ever given.")
    dataset_status: DatasetStatus = Field(description="A withdrawal ends no grant; none can be given after it.")
    at: Time


class RequestPolicyAnswer(Answer):
    """Whether this gateway takes requests for access to a dataset."""

    dataset_id: DatasetId
    accepted: bool = Field(description="The owner's word; true where nothing was said.")
    max_open: int = Field(ge=0, description="Most requests that may be unanswered at once.")
