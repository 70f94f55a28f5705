"""The messages that `AccessGrants` accepts, as its interface defines them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

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
    not_nobody,
)

MAX_PURPOSE_BYTES = 512

Grantee = Annotated[AddressField, AfterValidator(not_nobody)]
Rights = Annotated[Uint32Field, Field(ge=1)]
Purpose = Annotated[StringField, AfterValidator(at_most_bytes(MAX_PURPOSE_BYTES))]


class AccessRequest(Message):
    """Asks for access to a dataset; signed by the one who asks."""

    CONTRACT: ClassVar[str] = "AccessGrants"
    FUNCTION: ClassVar[str] = "requestAccess"

    dataset_id: DatasetIdField
    grantee: Grantee
    rights: Rights
    expires_at: Uint48Field
    purpose: Purpose
    requests: Uint32Field
    deadline: Uint64Field


class AccessGrant(Message):
    """Grants access, in place of any earlier grant to the same grantee."""

    CONTRACT: ClassVar[str] = "AccessGrants"
    FUNCTION: ClassVar[str] = "grant"

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


class AccessRevocation(Message):
    """Ends a grant now."""

    CONTRACT: ClassVar[str] = "AccessGrants"
    FUNCTION: ClassVar[str] = "revoke"

    dataset_id: DatasetIdField
    grantee: Grantee
    epoch: Uint32Field
    deadline: Uint64Field
