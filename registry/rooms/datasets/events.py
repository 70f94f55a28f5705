"""The events of `DatasetRegistry`, decoded strictly from topics and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.base.errors import InvalidInput
from registry.base.primitives import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.base.subject import Subject
from registry.ethereum.abi import Reader
from registry.ethereum.logs import Log
from registry.rooms.datasets.messages import CONTRACT, DATASET, Source
from registry.rooms.protocol import Contract, TopicFilter

REGISTERED = Bytes32(keccak256(b"Registered(uint256,address,bytes32,bytes32,bytes32,string,(uint256,uint24)[])"))
REVISED = Bytes32(keccak256(b"Revised(uint256,uint24,bytes32,bytes32,string,(uint256,uint24)[])"))
WITHDRAWN = Bytes32(keccak256(b"Withdrawn(uint256,string)"))
TRANSFER = Bytes32(keccak256(b"Transfer(address,address,uint256)"))

TOPICS = (REGISTERED, REVISED, WITHDRAWN, TRANSFER)
"""The first topics of all events that change a dataset's record. ERC-721's approvals do not."""


class OfDataset:
    """The properties that all events of a dataset share."""

    __slots__ = ()

    if TYPE_CHECKING:  # A field of each event.
        dataset_id: DatasetId

    @property
    def subject(self) -> Subject:
        """The dataset."""
        return Subject(DATASET, self.dataset_id)

    @property
    def account(self) -> Address:
        """The zero address: the event concerns only the dataset."""
        return ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class Registered(OfDataset):
    """A dataset was registered with version 1. `uri` is raw bytes: a Solidity string need not be UTF-8."""

    dataset_id: DatasetId
    owner: Address
    content_root: Bytes32
    metadata_hash: Bytes32
    salt: Bytes32
    uri: bytes
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Revised(OfDataset):
    """A dataset got a new version."""

    dataset_id: DatasetId
    version: int
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: bytes
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Transferred(OfDataset):
    """The title was transferred (ERC-721's Transfer)."""

    dataset_id: DatasetId
    previous_owner: Address
    owner: Address


@dataclass(frozen=True, slots=True)
class Withdrawn(OfDataset):
    """A dataset was withdrawn."""

    dataset_id: DatasetId
    reason: bytes


DatasetEvent = Registered | Revised | Transferred | Withdrawn


def decode(log: Log) -> DatasetEvent | None:
    """Decode a log of the contract.

    Returns:
        The event; None for a log that changes no record: an approval, or the mint before each registration.

    Raises:
        InvalidInput: The contract cannot have made this log.
    """
    if not log.topics or log.topics[0] not in TOPICS:
        return None  # Checked before the data is decoded, which need not be ABI-encoded.
    topic, *indexed = log.topics
    words = Reader(log.data)
    if topic == REGISTERED:
        dataset_id, owner, content_root = _indexed(indexed, 3)
        return Registered(
            DatasetId(dataset_id),
            Address(owner[12:]),
            content_root,
            Bytes32(words.word(0)),
            Bytes32(words.word(1)),
            words.tail(2),
            _sources(words, 3),
        )
    if topic == REVISED:
        dataset_id, version, content_root = _indexed(indexed, 3)
        return Revised(
            DatasetId(dataset_id),
            int.from_bytes(version, "big"),
            content_root,
            Bytes32(words.word(0)),
            words.tail(1),
            _sources(words, 2),
        )
    if topic == TRANSFER:
        previous_owner, owner, dataset_id = _indexed(indexed, 3)
        if previous_owner == ZERO_BYTES32:
            return None
        return Transferred(DatasetId(dataset_id), Address(previous_owner[12:]), Address(owner[12:]))
    (dataset_id,) = _indexed(indexed, 1)
    return Withdrawn(DatasetId(dataset_id), words.tail(0))


def filters(dataset_id: bytes) -> tuple[TopicFilter, ...]:
    """Return the filters for all events of a dataset."""
    topic = Bytes32(dataset_id)
    return [[REGISTERED, REVISED, WITHDRAWN], topic], [TRANSFER, None, None, topic]


DATASET_REGISTRY = Contract(CONTRACT, TOPICS, decode, ignored=((TRANSFER, ZERO_BYTES32),))


def _indexed(topics: list[Bytes32], count: int) -> list[Bytes32]:
    if len(topics) != count:
        raise InvalidInput(f"An event with {count} indexed values has {count + 1} topics, not {len(topics) + 1}.")
    return topics


def _sources(words: Reader, index: int) -> tuple[Source, ...]:
    start, length = words.length_at(index)
    if not length:
        return ()
    return tuple(
        Source.parse(
            {
                "datasetId": DatasetId(words.word(start + 2 * position)),
                "version": words.uint(start + 2 * position + 1, 24),
            }
        )
        for position in range(length)
    )
