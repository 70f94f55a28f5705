"""The record of a dataset, folded from its events in the order of the chain."""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.abi import text
from registry.ethereum.logs import Moment
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn
from registry.rooms.datasets.head import NO_HEAD, Head
from registry.rooms.datasets.messages import Source


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a dataset's content.

    Args:
        number: 1 for the first.
        content_root: The Merkle root of its manifest.
        metadata_hash: SHA-256 of its metadata in canonical form, or zero.
        uri: An address of its metadata, or empty.
        sources: The versions that it derives from.
        at: The moment of its registration.
    """

    number: int
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: str
    sources: tuple[Source, ...]
    at: Moment


@dataclass(frozen=True, slots=True)
class Title:
    """One owner of the title, and the moment from which they own it."""

    owner: Address
    since: Moment


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The withdrawal of a dataset: its reason and moment."""

    reason: str
    at: Moment


@dataclass(frozen=True, slots=True)
class Dataset:
    """The whole history of a dataset.

    Args:
        dataset_id: Its id.
        salt: The salt of its registration.
        head: The value of the contract's `headOf` after the last event.
        versions: All versions, ascending.
        titles: All owners of the title, ascending by time.
        withdrawal: The withdrawal; None if it is not withdrawn.
    """

    dataset_id: DatasetId
    salt: Bytes32
    head: Head
    versions: tuple[Version, ...]
    titles: tuple[Title, ...]
    withdrawal: Withdrawal | None

    @property
    def owner(self) -> Address:
        """The current owner."""
        return self.titles[-1].owner

    @property
    def latest(self) -> Version:
        """The latest version."""
        return self.versions[-1]


def fold(dataset: Dataset | None, event: DatasetEvent, at: Moment) -> Dataset:
    """Return the record after one more event; the record before the registration is None.

    Raises:
        InvalidInput: The event cannot follow the record, so the events are not the full history.
    """
    if dataset is None:
        if isinstance(event, Registered):
            return _registered(event, at)
        raise InvalidInput(f"The history of the dataset {event.dataset_id} does not begin with its registration.")
    if event.dataset_id != dataset.dataset_id:
        raise InvalidInput(f"An event of {event.dataset_id} is not one of {dataset.dataset_id}.")
    match event:
        case Revised() if event.version == dataset.latest.number + 1:
            version = Version(
                event.version, event.content_root, event.metadata_hash, text(event.uri), event.sources, at
            )
            head = dataset.head.after_revision(event.content_root, event.metadata_hash, event.uri, event.sources)
            return replace(dataset, head=head, versions=(*dataset.versions, version))
        case Transferred() if event.previous_owner == dataset.owner:
            head = dataset.head.after_transfer(event.previous_owner, event.owner)
            return replace(dataset, head=head, titles=(*dataset.titles, Title(event.owner, at)))
        case Withdrawn() if dataset.withdrawal is None:
            head = dataset.head.after_withdrawal(event.reason)
            return replace(dataset, head=head, withdrawal=Withdrawal(text(event.reason), at))
    raise InvalidInput(f"The event {type(event).__name__} cannot follow the known history of {dataset.dataset_id}.")


def _registered(event: Registered, at: Moment) -> Dataset:
    return Dataset(
        dataset_id=event.dataset_id,
        salt=event.salt,
        head=NO_HEAD.after_registration(
            event.dataset_id, event.owner, event.content_root, event.metadata_hash, event.uri, event.sources
        ),
        versions=(Version(1, event.content_root, event.metadata_hash, text(event.uri), event.sources, at),),
        titles=(Title(event.owner, at),),
        withdrawal=None,
    )
