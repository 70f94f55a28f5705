"""The answers about datasets."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.answers import Answer, AsOf, Height, Page, Place, Time
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.lineage.graph import GraphDocument

DatasetStatus = Literal["active", "withdrawn"]


class SourceRef(Answer):
    """An exact version of a dataset."""

    dataset_id: DatasetId
    version: int = Field(ge=1)


class DatasetItem(Answer):
    """A dataset as it is now."""

    dataset_id: DatasetId
    owner: Address
    first_owner: Address
    version: int = Field(ge=1, description="The number of the latest version.")
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: str
    head: Bytes32
    status: DatasetStatus
    withdrawal_reason: str | None
    name: str | None = Field(description="From the metadata, if it was deposited here.")
    description: str | None
    sources: list[SourceRef]
    files: int | None = Field(description="From the manifest, if it was deposited here.")
    bytes: int | None
    registered_at: Time
    registered_block: Height
    updated_at: Time
    updated_block: Height
    transaction_hash: Bytes32 = Field(description="The hash of the transaction that made the latest version.")


class DatasetPage(Page[DatasetItem]):
    """A page of datasets."""


class Dataset(DatasetItem, AsOf):
    """One dataset as it is now."""

    metadata: Any = Field(description="The metadata of the latest version, if it was deposited here; else null.")


class VersionItem(Answer):
    """One version of a dataset."""

    version: int = Field(ge=1)
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: str
    sources: list[SourceRef]
    name: str | None
    at: Place


class VersionPage(Page[VersionItem]):
    """A page of versions."""


class HistoryItem(Answer):
    """One step of a dataset's history: its kind, its values, and the head after it."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, validate_by_name=True)

    kind: Literal["registered", "revised", "transferred", "withdrawn"]
    head: Bytes32
    at: Place


class HistoryPage(Page[HistoryItem]):
    """A page of steps of a history."""


class Claim(Answer):
    """A version in which a hash was registered."""

    match: Literal["root", "file", "metadata"]
    path: str | None = Field(description="The file's path in the manifest, if a file matches.")
    dataset_id: DatasetId
    version: int = Field(ge=1)
    claimant: Address = Field(description="The dataset's owner when this version was registered.")
    owner: Address = Field(description="The dataset's present owner.")
    status: DatasetStatus
    at: Place


class Claims(AsOf):
    """All registrations in which a hash occurs, in the order of the chain."""

    sha256: Bytes32
    claims: list[Claim]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class Lineage(GraphDocument, AsOf):
    """The lineage of a dataset."""


class DocumentRecord(Answer):
    """A document of a version, and its state."""

    version: int = Field(ge=1)
    kind: Literal["manifest", "metadata"]
    hash: Bytes32 = Field(description="The version's content root, or its metadata hash.")
    state: Literal["public", "retracted", "withheld"]
    published_at: Time
    retracted_at: Time | None
    reason: str | None = Field(description="Why its owner retracted it.")
    withheld_at: Time | None
    withheld_for: str | None = Field(description="Why the gateway's operator withholds it: law, order, case.")


class DocumentRecords(Answer):
    """The documents of a dataset that were ever published here."""

    dataset_id: DatasetId
    items: list[DocumentRecord]
