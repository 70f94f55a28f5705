"""The messages that `DatasetRegistry` accepts, as its Solidity interface defines them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.base.subject import Subject
from registry.ethereum.abi import left_padded
from registry.ethereum.eip712 import (
    AddressField,
    Bytes32Field,
    DatasetIdField,
    Message,
    Solidity,
    StringField,
    Struct,
    Uint24Field,
    Uint64Field,
    at_most_bytes,
    not_zero_address,
)

CONTRACT: Final = "DatasetRegistry"
DATASET: Final = "dataset"
"""The kind of subject."""
SOURCE_GAS: Final = 5_000
"""The most gas for each source: one cold slot, the hashing, and the words in the event."""

MAX_URI_BYTES = 512
MAX_REASON_BYTES = 512
MAX_SOURCES = 32


def _content_root(root: Bytes32) -> Bytes32:
    if root == ZERO_BYTES32:
        raise ValueError("a content root is never zero")
    return root


class Source(Struct):
    """A version of a dataset from which another version derives."""

    dataset_id: DatasetIdField
    version: Annotated[Uint24Field, Field(ge=1)]

    def __str__(self) -> str:
        return f"{self.dataset_id}@{self.version}"


def _ascending(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    keys = [(source.dataset_id, source.version) for source in sources]
    if any(later <= earlier for earlier, later in itertools.pairwise(keys)):
        raise ValueError("sources ascend strictly by (datasetId, version), without duplicates")
    return sources


Uri = Annotated[StringField, AfterValidator(at_most_bytes(MAX_URI_BYTES))]
Reason = Annotated[StringField, AfterValidator(at_most_bytes(MAX_REASON_BYTES))]
Sources = Annotated[tuple[Source, ...], Field(max_length=MAX_SOURCES), AfterValidator(_ascending), Solidity("Source[]")]
ContentRoot = Annotated[Bytes32Field, AfterValidator(_content_root)]
Recipient = Annotated[AddressField, AfterValidator(not_zero_address)]


class DatasetMessage(Message):
    """A message about a dataset."""

    CONTRACT: ClassVar[str] = CONTRACT

    if TYPE_CHECKING:  # A field of each message, or a property.

        @property
        def dataset_id(self) -> DatasetId: ...

    @property
    def subject(self) -> Subject:
        """The dataset."""
        return Subject(DATASET, self.dataset_id)

    @property
    def extra_gas(self) -> int:
        """The most gas for the sources."""
        return SOURCE_GAS * len(getattr(self, "sources", ()))


class Registration(DatasetMessage):
    """Register a dataset with its version 1."""

    FUNCTION: ClassVar[str] = "register"
    PATH: ClassVar[str] = "/v1/datasets"

    owner: Recipient
    content_root: ContentRoot
    metadata_hash: Bytes32Field
    uri: Uri
    salt: Bytes32Field
    sources: Sources
    deadline: Uint64Field

    @property
    def dataset_id(self) -> DatasetId:
        """The id of the new dataset."""
        return dataset_id_of(self.owner, self.content_root, self.salt)


class Revision(DatasetMessage):
    """Add the next version of a dataset."""

    FUNCTION: ClassVar[str] = "revise"
    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/versions"

    dataset_id: DatasetIdField
    head: Bytes32Field
    content_root: ContentRoot
    metadata_hash: Bytes32Field
    uri: Uri
    sources: Sources
    deadline: Uint64Field


class TitleTransfer(DatasetMessage):
    """Transfer the title to another account."""

    FUNCTION: ClassVar[str] = "transfer"
    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/transfers"

    dataset_id: DatasetIdField
    head: Bytes32Field
    to: Recipient
    deadline: Uint64Field


class Withdrawal(DatasetMessage):
    """Withdraw a dataset permanently."""

    FUNCTION: ClassVar[str] = "withdraw"
    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/withdrawals"

    dataset_id: DatasetIdField
    head: Bytes32Field
    reason: Reason
    deadline: Uint64Field


def dataset_id_of(owner: Address, content_root: Bytes32, salt: Bytes32) -> DatasetId:
    """Return the id of a dataset: Keccak-256 of the ABI encoding of its first owner, content root and salt."""
    return DatasetId(keccak256(left_padded(owner) + content_root + salt))
