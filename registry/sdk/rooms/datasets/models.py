"""Datasets, their versions, history and lineage, their public documents, and certificates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.lineage.graph import Graph, GraphDocument
from registry.manifest import Manifest
from registry.rooms.datasets.statements import Publication
from registry.sdk.models.result import AsOf, Height, Int, Json, Number, Page, Place, Result, Time
from registry.sdk.signing import Signed

Status = Literal["active", "withdrawn"]


class VersionRef(Result):
    """One version of a dataset, by its number.

    Attributes:
        dataset_id: The dataset.
        version: The number of the version.
    """

    dataset_id: DatasetId
    version: Number


class DatasetState(Result):
    """The fields of a dataset that its next message depends on.

    Attributes:
        dataset_id: The dataset's id.
        owner: The owner.
        version: The number of the latest version.
        content_root: The content root of the latest version.
        head: The head, which commits to the whole history.
        status: active or withdrawn.
    """

    dataset_id: DatasetId
    owner: Address
    version: Number
    content_root: Bytes32
    head: Bytes32
    status: Status


class DatasetItem(DatasetState):
    """A dataset in a list.

    Attributes:
        first_owner: The account that registered it.
        metadata_hash: The metadata hash of the latest version; zero for no metadata.
        uri: The URI of the latest version, or empty.
        withdrawal_reason: Why it was withdrawn; None for an active dataset.
        name: Its name in the public metadata, if any.
        description: Its description in the public metadata, if any.
        sources: The versions that the latest version derives from.
        files: The number of files, if the manifest is public.
        size: The bytes of all files, if the manifest is public.
        registered_at: When it was registered.
        registered_block: The block of its registration.
        updated_at: When its record last changed.
        updated_block: The block of that change.
    """

    first_owner: Address
    metadata_hash: Bytes32
    uri: str
    withdrawal_reason: str | None
    name: str | None
    description: str | None
    sources: tuple[VersionRef, ...]
    files: Int | None
    size: Int | None = Field(alias="bytes")
    registered_at: Time
    registered_block: Height
    updated_at: Time
    updated_block: Height


class Dataset(DatasetItem, AsOf):
    """One dataset.

    Attributes:
        metadata: The metadata of the latest version, if it is public.
    """

    metadata: dict[str, object] | None


class DatasetPage(Page):
    """Datasets, the newest first.

    Attributes:
        items: The datasets.
    """

    items: tuple[DatasetItem, ...]


class Version(Result):
    """One version of a dataset.

    Attributes:
        version: Its number.
        content_root: Its content root.
        metadata_hash: Its metadata hash; zero for no metadata.
        uri: Its URI, or empty.
        sources: The versions that it derives from.
        name: Its name in the public metadata, if any.
        at: Where it was registered on the chain.
    """

    version: Number
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: str
    sources: tuple[VersionRef, ...]
    name: str | None
    at: Place


class VersionPage(Page):
    """The versions of a dataset, in ascending order.

    Attributes:
        items: The versions.
    """

    items: tuple[Version, ...]


class HistoryStep(Result):
    """One step of a dataset's history. Fields that a step of its kind does not have are None.

    Attributes:
        kind: registered, revised, transferred or withdrawn.
        head: The head after the step.
        at: Where it happened on the chain.
        version: The number of the version that the step made.
        content_root: The content root of that version.
        metadata_hash: The metadata hash of that version.
        uri: The URI of that version.
        owner: The first owner, in a registration.
        to: The new owner, in a transfer.
        reason: The reason, in a withdrawal.
    """

    kind: Literal["registered", "revised", "transferred", "withdrawn"]
    head: Bytes32
    at: Place
    version: Number | None = None
    content_root: Bytes32 | None = None
    metadata_hash: Bytes32 | None = None
    uri: str | None = None
    owner: Address | None = None
    to: Address | None = None
    reason: str | None = None


class History(Page):
    """The history of a dataset, in the order of the chain.

    Attributes:
        items: The steps.
    """

    items: tuple[HistoryStep, ...]


class Claim(Result):
    """A registration of content with a hash.

    Attributes:
        match: What has the hash: the content root, a file, or the metadata.
        path: The file's path in the manifest; None for another match.
        dataset_id: The dataset.
        version: The version.
        claimant: The owner at the time of the registration.
        owner: The present owner.
        status: active or withdrawn.
        at: Where it was registered on the chain.
    """

    match: Literal["root", "file", "metadata"]
    path: str | None
    dataset_id: DatasetId
    version: Number
    claimant: Address
    owner: Address
    status: Status
    at: Place


class Claims(Page):
    """Every registration of content with a hash, in the order of the chain.

    Attributes:
        sha256: The hash.
        claims: The registrations.
    """

    ROWS: ClassVar[str] = "claims"

    sha256: Bytes32
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The versions that a dataset derives from, and those that derive from it.

    Args:
        as_of_block: The height of the block that the answer is a snapshot of.
        graph: The versions and the edges between them.
        raw: The JSON object as the gateway sent it.
    """

    as_of_block: int
    graph: Graph
    raw: Json

    @classmethod
    def parse(cls, document: Json) -> Self:
        """Return the lineage in a JSON object.

        Raises:
            ValidationError: A field is missing or has another type.
            InvalidInput: The versions derive from each other in a circle, or a root is missing.
        """
        graph = GraphDocument.model_validate(document, extra="ignore").graph()
        return cls(AsOf.model_validate(document).as_of_block, graph, document)


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


@dataclass(frozen=True, slots=True)
class Published:
    """Documents of a version, with the owner's signed statement that they may be public.

    Warning: everybody can read them.

    Args:
        signed: The publication with its signature.
        metadata: The metadata that the publication names, or None.
        manifest: The manifest that the publication names, or None.
    """

    signed: Signed[Publication]
    metadata: Json | None = None
    manifest: Manifest | None = None

    def members(self) -> dict[str, object]:
        """Return what is sent beside the message that makes the version: the documents and the publication."""
        return {**self.documents(), "publication": self.signed.body()}

    def documents(self) -> dict[str, object]:
        """Return the documents as JSON."""
        documents: dict[str, object] = {} if self.metadata is None else {"metadata": self.metadata}
        return documents if self.manifest is None else documents | {"manifest": json.loads(self.manifest.to_json())}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of a dataset.

    Args:
        page: The PDF file, with the evidence bundle attached.
        has_link: Whether the page has a QR code with the gateway's address; it has none without a public address.
    """

    page: bytes
    has_link: bool
