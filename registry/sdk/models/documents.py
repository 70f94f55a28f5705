"""Public documents of datasets, and whether a gateway accepts requests for access."""

from __future__ import annotations

from typing import Literal

from registry.base.primitives import Bytes32, DatasetId
from registry.sdk.models.result import Bool, Number, Result, Time


class Document(Result):
    """A document of a version that is or was public.

    Attributes:
        version: The version.
        kind: manifest or metadata.
        hash: The version's content root, or its metadata hash.
        state: public, retracted by the owner, or withheld by the operator.
        published_at: When it was last published.
        retracted_at: When its owner retracted it; None if it is not retracted.
        reason: Why its owner retracted it.
        withheld_at: When the operator withheld it; None if it is not withheld.
        withheld_for: Why the operator withholds it.
    """

    version: Number
    kind: Literal["manifest", "metadata"]
    hash: Bytes32
    state: Literal["public", "retracted", "withheld"]
    published_at: Time
    retracted_at: Time | None
    reason: str | None
    withheld_at: Time | None
    withheld_for: str | None


class Documents(Result):
    """All documents of a dataset that were ever published at a gateway.

    Attributes:
        dataset_id: The dataset.
        items: The documents.
    """

    dataset_id: DatasetId
    items: tuple[Document, ...]


class RequestPolicyState(Result):
    """Whether a gateway accepts requests for access to a dataset.

    Attributes:
        dataset_id: The dataset.
        accepted: Whether it does.
    """

    dataset_id: DatasetId
    accepted: Bool
