"""The node half of a room: its tables in the index, who owns its subjects, and its workers.

The engines take `Rooms` and do not know individual rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Table

from registry.artifacts import Artifact, artifact
from registry.base.primitives import Address, Bytes32
from registry.chain.client import Chain
from registry.ethereum.logs import Log, Moment
from registry.rooms.deployment import Deployment
from registry.rooms.projection import Projection
from registry.rooms.protocol import Event, Protocols, RoomProtocol
from registry.storage import Storage
from registry.timers.schedule import Handler


@dataclass(frozen=True, slots=True)
class Ownership:
    """Functions that return the owners of a kind of subject, who sign the messages that do not name a signer.

    Args:
        kind: The kind of subject.
        owner_of: Return the owner of a subject in the newest block according to the contract; None if the subject does
            not exist.
        owner_before: Return the owner of a subject just before a moment according to the contract's logs.
        has_owned: Return whether an account is a current or former owner of a subject according to the index.
        owns_since: Return whether an account owns a subject that it registered itself by a time, Unix seconds.
    """

    kind: str
    owner_of: Callable[[Chain, Deployment, Bytes32], Address | None]
    owner_before: Callable[[Chain, Deployment, Bytes32, Moment], Address | None]
    has_owned: Callable[[Storage, Bytes32, Address], bool]
    owns_since: Callable[[Storage, Address, float], bool]


class Reads(Protocol):
    """A reader of a room's tables."""

    def close(self) -> None:
        """Release the reader's resources."""


@dataclass(frozen=True, slots=True)
class Room:
    """One capability, as a node runs it.

    Args:
        protocol: The offline half.
        projection: Its part of the index; None if it does not log anything.
        ownership: The owners of its subjects; None if it does not have its own subjects.
        reads: Open the reader of its tables for a gateway; closed with the node.
        artifact: Return the compiled form of one of its contracts by its name.
    """

    protocol: RoomProtocol
    projection: Projection | None = None
    ownership: Ownership | None = None
    reads: Callable[[Storage], Reads] | None = None
    artifact: Callable[[str], Artifact] = artifact

    @property
    def name(self) -> str:
        """The room's name."""
        return self.protocol.name


class Rooms:
    """The rooms of a node.

    Args:
        rooms: The rooms; a contract that refers to another comes after it.

    Raises:
        ValueError: Two rooms share a name, a contract, a message, a kind of subject, the number of an event or the name
            of a timer.
    """

    def __init__(self, rooms: Sequence[Room]) -> None:
        self.rooms = tuple(rooms)
        self.protocols = Protocols([room.protocol for room in rooms])
        self.projections = tuple(room.projection for room in rooms if room.projection is not None)
        self.ownerships = tuple(room.ownership for room in rooms if room.ownership is not None)
        self._ownership = {ownership.kind: ownership for ownership in self.ownerships}
        self._artifacts = {contract.name: room.artifact for room in rooms for contract in room.protocol.contracts}
        numbers = [number for projection in self.projections for number in projection.kinds.values()]
        if len(self._ownership) != len(self.ownerships) or len(set(numbers)) != len(numbers):
            raise ValueError("two rooms share a kind of subject or the number of an event")
        self.timers: Mapping[str, Handler] = {
            name: handler for projection in self.projections for name, handler in projection.timers.items()
        }
        if len(self.timers) != sum(len(projection.timers) for projection in self.projections):
            raise ValueError("two rooms share the name of a timer")
        self._protocols = {
            number: room.protocol
            for room in rooms
            if room.projection is not None
            for number in room.projection.kinds.values()
        }

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables of the rooms in the index."""
        return tuple(table for projection in self.projections for table in (*projection.tables, *projection.derived))

    def ownership(self, kind: str) -> Ownership:
        """Return the ownership functions for a kind of subject.

        Raises:
            KeyError: No room has subjects of that kind.
        """
        return self._ownership[kind]

    def stored_event(self, kind: int, log: Log) -> Event:
        """Return the event of a stored log.

        Args:
            kind: The number of its kind.
            log: The log.

        Raises:
            KeyError: No room has events of that kind.
            ValueError: The room's contracts do not log it.
        """
        for contract in self._protocols[kind].contracts:
            if log.topics[0] in contract.topics and (event := contract.decode(log)) is not None:
                return event
        raise ValueError(f"a stored event of kind {kind} cannot be decoded")

    def artifact(self, contract: str) -> Artifact:
        """Return the compiled form of a contract by its name.

        Raises:
            KeyError: No room has a contract of that name.
        """
        return self._artifacts[contract](contract)
