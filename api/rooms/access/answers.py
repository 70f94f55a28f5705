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
    expires_at: Time = Field(description="The term as it was granted.")
    ends_at: Time = Field(description="When it ends or ended: the earlier of its expiry, revocation or replacement.")
    state: Literal["scheduled", "active", "expired", "revoked", "replaced"]
    terms_hash: Bytes32
    epoch: int = Field(ge=1)
    at: Place
    ended_at: Time | None = Field(description="When it was revoked or replaced; else null.")


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

    grantee: Address = Field(description="The account that asks for access.")
    granted: bool = Field(description="Whether a grant to this account followed, even one that has ended.")


class AccessRequestPage(Page[AccessRequestItem]):
    """A page of requests for access."""


class Grantee(AsOf):
    """The state of one grantee of one dataset."""

    epoch: int = Field(description="The epoch that the next grant or revocation must name.")
    requests: int = Field(description="The number of requests that the next request must name.")
    grants: list[GrantItem]
    access_requests: list[GranteeRequest]


class AccessTerm(Answer):
    """The grant that decides for a time: the latest one made by then, else the first."""

    rights: Rights
    starts_at: Time
    expires_at: Time = Field(description="The term as it was granted.")
    ends_at: Time = Field(description="When it ends or ended: the earlier of its expiry, revocation or replacement.")


class AccessAnswer(AsOf):
    """Whether an account may use a dataset at a time, and why or why not."""

    allowed: bool
    reason: Literal["neverGranted", "scheduled", "active", "expired", "revoked"] = Field(
        description="The state of the grant at that time; `active` exactly if allowed. `scheduled`: not started."
    )
    rights: Rights = Field(description="Empty where not allowed.")
    starts_at: Time | None = Field(description="Null where not allowed; the former term is in `term`.")
    expires_at: Time | None = Field(description="When it ends or ended; null where not allowed.")
    term: AccessTerm | None = Field(description="The grant in any state; null if there never was one.")
    dataset_status: DatasetStatus = Field(description="A withdrawal does not end grants; it prevents new ones.")
    at: Time


class RequestPolicyAnswer(Answer):
    """Whether this gateway accepts requests for access to a dataset."""

    dataset_id: DatasetId
    accepted: bool = Field(description="The owner's choice; true by default.")
    max_open: int = Field(ge=0, description="The maximum number of unanswered requests.")
