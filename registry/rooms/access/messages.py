"""The messages that `AccessGrants` accepts, as its Solidity interface defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator

from registry.base.primitives import Address, DatasetId
from registry.base.subject import Subject
from registry.ethereum.eip712 import (
    AddressField,
    Bytes32Field,
    DatasetIdField,
    Message,
    StringField,
    Uint32Field,
    Uint48Field,
    Uint64Field,
    at_most_bytes,
    not_zero_address,
)
from registry.rooms.datasets.messages import DATASET

CONTRACT: Final = "AccessGrants"

MAX_PURPOSE_BYTES = 512

Grantee = Annotated[AddressField, AfterValidator(not_zero_address)]
Rights = Annotated[Uint32Field, Field(ge=1)]
Purpose = Annotated[StringField, AfterValidator(at_most_bytes(MAX_PURPOSE_BYTES))]


class AccessMessage(Message):
    """A message about the access of a grantee to a dataset."""

    CONTRACT: ClassVar[str] = CONTRACT

    if TYPE_CHECKING:  # Fields of each message.
        dataset_id: DatasetId
        grantee: Address

    @property
    def subject(self) -> Subject:
        """The dataset."""
        return Subject(DATASET, self.dataset_id)


class AccessRequest(AccessMessage):
    """Request access to a dataset; signed by the grantee."""

    FUNCTION: ClassVar[str] = "requestAccess"
    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/requests"
    IS_OPEN: ClassVar[bool] = True

    dataset_id: DatasetIdField
    grantee: Grantee
    rights: Rights
    expires_at: Uint48Field
    purpose: Purpose
    requests: Uint32Field
    deadline: Uint64Field


class AccessGrant(AccessMessage):
    """Grant access; replaces any earlier grant to the same grantee."""

    FUNCTION: ClassVar[str] = "grant"
    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/grants"

    dataset_id: DatasetIdField
    grantee: Grantee
    rights: Rights
    starts_at: Uint48Field
    expires_at: Uint48Field
    terms_hash: Bytes32Field
    epoch: Uint32Field
    deadline: Uint64Field

    @model_validator(mode="after")
    def _term_is_not_empty(self) -> Self:
        if self.expires_at <= self.starts_at:
            raise ValueError(f"expiresAt ({self.expires_at}) must be later than startsAt ({self.starts_at})")
        return self


class AccessRevocation(AccessMessage):
    """End a grant now."""

    FUNCTION: ClassVar[str] = "revoke"
    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/revocations"

    dataset_id: DatasetIdField
    grantee: Grantee
    epoch: Uint32Field
    deadline: Uint64Field
