"""The statements about documents: EIP-712 structs that an owner signs for the gateway and no contract accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from registry.base.primitives import ZERO_BYTES32, Bytes32, DatasetId
from registry.base.subject import Subject
from registry.ethereum.eip712 import Bytes32Field, DatasetIdField, Statement, Uint24Field, Uint64Field
from registry.rooms.datasets.messages import CONTRACT, DATASET, Reason

Version = Annotated[Uint24Field, Field(ge=1)]


class DatasetStatement(Statement):
    """A statement about a dataset."""

    CONTRACT: ClassVar[str] = CONTRACT

    if TYPE_CHECKING:  # A field of each statement.
        dataset_id: DatasetId

    @property
    def subject(self) -> Subject:
        """The dataset."""
        return Subject(DATASET, self.dataset_id)


class DocumentStatement(DatasetStatement):
    """A statement about documents of one version. A hash of zero leaves that document out."""

    dataset_id: DatasetIdField
    version: Version
    content_root: Bytes32Field
    metadata_hash: Bytes32Field

    @property
    def documents(self) -> tuple[Bytes32, ...]:
        """The hashes of the documents that the statement names."""
        return tuple(key for key in (self.content_root, self.metadata_hash) if key != ZERO_BYTES32)

    @model_validator(mode="after")
    def _names_a_document(self) -> Self:
        if not self.documents:
            raise ValueError("contentRoot and metadataHash are both zero: the statement names no document")
        return self


class Publication(DocumentStatement):
    """Allow the gateway to make documents of a version public."""

    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/publications"

    deadline: Uint64Field


class Retraction(DocumentStatement):
    """Retract documents of a version from the public."""

    PATH: ClassVar[str] = "/v1/datasets/{dataset_id}/retractions"

    reason: Reason
    deadline: Uint64Field
