"""The events of both contracts as the index keeps them: decoded, placed, and with the raw log beside them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from registry.base.errors import InvalidInput, RegistryError
from registry.base.primitives import ZERO_ADDRESS, Bytes32
from registry.ethereum.logs import Log, Moment
from registry.index.position import block_of, log_index_of
from registry.rooms.access import events as access
from registry.rooms.access.events import AccessEvent, AccessGranted, AccessRequested, AccessRevoked
from registry.rooms.datasets import events as datasets
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn
from registry.rooms.deployment import Deployment

TOPICS: Final = (*datasets.TOPICS, *access.TOPICS)
"""The first topics of all events that are indexed."""

_TOPIC_BYTES: Final = 32


class Kind(IntEnum):
    """The kinds of events, as they are stored: the numbers never change."""

    REGISTERED = 1
    REVISED = 2
    TRANSFERRED = 3
    WITHDRAWN = 4
    REQUESTED = 5
    GRANTED = 6
    REVOKED = 7


DATASET_KINDS: Final = (Kind.REGISTERED, Kind.REVISED, Kind.TRANSFERRED, Kind.WITHDRAWN)
ACCESS_KINDS: Final = (Kind.REQUESTED, Kind.GRANTED, Kind.REVOKED)

_KINDS: Final[dict[type[DatasetEvent | AccessEvent], Kind]] = {
    Registered: Kind.REGISTERED,
    Revised: Kind.REVISED,
    Transferred: Kind.TRANSFERRED,
    Withdrawn: Kind.WITHDRAWN,
    AccessRequested: Kind.REQUESTED,
    AccessGranted: Kind.GRANTED,
    AccessRevoked: Kind.REVOKED,
}


class UndecodableLog(RegistryError):
    """One of our contracts' addresses logged what our contracts cannot log: the addresses or the node are wrong."""


class Entry(NamedTuple):
    """One event, and where it stands on the chain.

    Attributes:
        position: See `registry.index.position`.
        block_hash: Its block's hash.
        timestamp: Its block's time, Unix seconds.
        transaction_hash: Its transaction's hash.
        kind: Its kind.
        event: What it says.
        log: The log it was read from.
    """

    position: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32
    kind: Kind
    event: DatasetEvent | AccessEvent
    log: Log

    @property
    def moment(self) -> Moment:
        """The same place in the words of the records."""
        return Moment(
            block_of(self.position),
            log_index_of(self.position),
            self.timestamp,
            self.block_hash,
            self.transaction_hash,
        )


def decode(
    log: Log, deployment: Deployment, position: int, block_hash: Bytes32, timestamp: int, transaction_hash: Bytes32
) -> Entry | None:
    """Reads a log.

    Returns:
        The entry, or None for a log that changes no record: another contract's, an approval, or the mint that
        precedes each registration.

    Raises:
        UndecodableLog: One of our contracts cannot have made it.
    """
    event: DatasetEvent | AccessEvent | None
    try:
        if log.address == deployment.address_of("DatasetRegistry"):
            event = datasets.decode(log)
        elif log.address == deployment.address_of("AccessGrants"):
            event = access.decode(log)
        else:
            return None
    except InvalidInput as error:
        raise UndecodableLog(
            f"The log {log_index_of(position)} of block {block_of(position)} (transaction {transaction_hash}) is none "
            f"that the contract {log.address} could have made: {error.message}",
            hint="Check that the addresses are those of this version's contracts.",
        ) from error
    if event is None or (isinstance(event, Transferred) and event.previous_owner == ZERO_ADDRESS):
        return None
    return Entry(position, block_hash, timestamp, transaction_hash, _KINDS[type(event)], event, log)


def stored_dataset_event(topics: bytes, data: bytes) -> DatasetEvent:
    """The event of a stored row of a dataset itself; `topics` are those of the log, one behind the other."""
    event = datasets.decode(_stored_log(topics, data))
    if event is None:
        raise UndecodableLog("A stored event of a dataset cannot be read back.")
    return event


def stored_access_event(topics: bytes, data: bytes) -> AccessEvent:
    """The same for a stored row of access."""
    event = access.decode(_stored_log(topics, data))
    if event is None:
        raise UndecodableLog("A stored event of access cannot be read back.")
    return event


def _stored_log(topics: bytes, data: bytes) -> Log:
    starts = range(0, len(topics), _TOPIC_BYTES)
    return Log(ZERO_ADDRESS, tuple(Bytes32(topics[start : start + _TOPIC_BYTES]) for start in starts), data)
