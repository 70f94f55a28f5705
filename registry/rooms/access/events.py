"""The events of `AccessGrants`, decoded strictly from topics and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.base.subject import Subject
from registry.ethereum.abi import Reader, left_padded
from registry.ethereum.logs import Log
from registry.rooms.access.messages import CONTRACT
from registry.rooms.datasets.messages import CONTRACT as DATASET_REGISTRY
from registry.rooms.datasets.messages import DATASET
from registry.rooms.protocol import Contract, TopicFilter

ACCESS_REQUESTED = Bytes32(keccak256(b"AccessRequested(uint256,address,uint32,uint48,uint32,string)"))
ACCESS_GRANTED = Bytes32(keccak256(b"AccessGranted(uint256,address,uint32,uint48,uint48,bytes32,uint32)"))
ACCESS_REVOKED = Bytes32(keccak256(b"AccessRevoked(uint256,address,uint32)"))

TOPICS = (ACCESS_REQUESTED, ACCESS_GRANTED, ACCESS_REVOKED)
"""The first topics of all events of the contract."""


class OfAccess:
    """The properties that all events of access share."""

    __slots__ = ()

    if TYPE_CHECKING:  # Fields of each event.
        dataset_id: DatasetId
        grantee: Address

    @property
    def subject(self) -> Subject:
        """The dataset."""
        return Subject(DATASET, self.dataset_id)

    @property
    def account(self) -> Address:
        """The grantee."""
        return self.grantee


@dataclass(frozen=True, slots=True)
class AccessRequested(OfAccess):
    """Access was requested. `requests` counts this request; `purpose` is raw bytes, not necessarily UTF-8."""

    dataset_id: DatasetId
    grantee: Address
    rights: int
    expires_at: int
    requests: int
    purpose: bytes


@dataclass(frozen=True, slots=True)
class AccessGranted(OfAccess):
    """Access was granted. `epoch` counts this grant; times are Unix seconds, UTC."""

    dataset_id: DatasetId
    grantee: Address
    rights: int
    starts_at: int
    expires_at: int
    terms_hash: Bytes32
    epoch: int


@dataclass(frozen=True, slots=True)
class AccessRevoked(OfAccess):
    """Access was revoked at the block's time. `epoch` counts this revocation."""

    dataset_id: DatasetId
    grantee: Address
    epoch: int


AccessEvent = AccessRequested | AccessGranted | AccessRevoked


def decode(log: Log) -> AccessEvent | None:
    """Decode a log of the contract.

    Returns:
        The event; None for a log that changes no record.

    Raises:
        InvalidInput: The contract cannot have made this log.
    """
    if not log.topics or log.topics[0] not in TOPICS:
        return None
    if len(log.topics) != 3:
        raise InvalidInput(f"An event of AccessGrants has 3 topics, not {len(log.topics)}.")
    topic, dataset_word, grantee_word = log.topics
    dataset_id, grantee = DatasetId(dataset_word), Address(grantee_word[12:])
    words = Reader(log.data)
    if topic == ACCESS_REQUESTED:
        return AccessRequested(
            dataset_id, grantee, words.uint(0, 32), words.uint(1, 48), words.uint(2, 32), words.tail(3)
        )
    if topic == ACCESS_GRANTED:
        return AccessGranted(
            dataset_id,
            grantee,
            words.uint(0, 32),
            words.uint(1, 48),
            words.uint(2, 48),
            Bytes32(words.word(3)),
            words.uint(4, 32),
        )
    return AccessRevoked(dataset_id, grantee, words.uint(0, 32))


def filters(dataset_id: bytes, grantee: Address) -> tuple[TopicFilter, ...]:
    """Return the filters for all events of a grantee's access to a dataset."""
    return ([TOPICS, Bytes32(dataset_id), Bytes32(left_padded(grantee))],)


ACCESS_GRANTS = Contract(CONTRACT, TOPICS, decode, references={"REGISTRY()": DATASET_REGISTRY})
