"""Frozen rows of datasets from the index."""

from __future__ import annotations

from typing import NamedTuple

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.index.pages import EventPlace
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised


class DatasetItem(NamedTuple):
    """A dataset as it is now.

    Attributes:
        position: The position of its registration.
        dataset_id: Its id.
        owner: The current owner.
        first_owner: The account that registered it.
        version: The number of the latest version.
        content_root: The content root of the latest version.
        metadata_hash: The metadata hash of the latest version.
        uri: The URI of the latest version, as raw bytes.
        head: Its head.
        is_withdrawn: Whether it is withdrawn.
        reason: The reason for its withdrawal, as raw bytes; None if it is not withdrawn.
        sources: The sources of the latest version, packed.
        registered_at: The time of its registration, Unix seconds, UTC.
        updated_position: The position of its latest event.
        updated_at: The time of its latest event, Unix seconds, UTC.
        transaction_hash: The transaction of the latest version.
        name: The name in its public metadata, or None.
        description: The description in its public metadata, or None.
        files: The number of files in its public manifest, or None.
        size: The number of bytes in these files, or None.
        body: Its public metadata as JSON text; None if there is none, or in lists.
    """

    position: int
    dataset_id: DatasetId
    owner: Address
    first_owner: Address
    version: int
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: bytes
    head: Bytes32
    is_withdrawn: bool
    reason: bytes | None
    sources: bytes
    registered_at: int
    updated_position: int
    updated_at: int
    transaction_hash: Bytes32
    name: str | None
    description: str | None
    files: int | None
    size: int | None
    body: str | None = None


class VersionItem(NamedTuple):
    """One version of a dataset.

    Attributes:
        at: Where its event is.
        number: Its number.
        event: Its event.
        name: The name in its public metadata, or None.
    """

    at: EventPlace
    number: int
    event: Registered | Revised
    name: str | None


class HistoryItem(NamedTuple):
    """One step of a dataset's history.

    Attributes:
        at: Where its event is.
        event: Its event.
        head: The dataset's head after it.
    """

    at: EventPlace
    event: DatasetEvent
    head: Bytes32


class ClaimItem(NamedTuple):
    """A version in which a hash occurs.

    Attributes:
        at: Where the version's event is.
        match: The role of the hash there: root, metadata or file.
        path: The file's path if it is a file, or None.
        dataset_id: The dataset.
        version: The version's number.
        claimant: The owner when the version was registered.
        owner: The current owner.
        is_withdrawn: Whether the dataset is withdrawn.
    """

    at: EventPlace
    match: str
    path: str | None
    dataset_id: DatasetId
    version: int
    claimant: Address
    owner: Address
    is_withdrawn: bool
