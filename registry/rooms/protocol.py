"""The offline half of a room: the messages and events of its contracts, and how they match.

Signing and verifying need only this half. It imports neither a database nor a chain. The engines take a sequence of
`RoomProtocol` and do not know individual rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, TypeVar

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.base.subject import Subject
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Log, Moment
from registry.ethereum.refusals import SHARED_REFUSALS, Refusal, RefusalTable
from registry.rooms.proof_adapter import ProofAdapter

Value = TypeVar("Value")

TopicFilter = Sequence[Bytes32 | Sequence[Bytes32] | None]
"""For each topic position: the one to match, several of which one must match, or None for any."""


class Event(Protocol):
    """A decoded log of a room's contract. Events are frozen dataclasses with the values of the Solidity event."""

    @property
    def subject(self) -> Subject:
        """The subject of the event."""

    @property
    def account(self) -> Address:
        """The account that the event also concerns, for example a grantee; the zero address if there is none."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of a room.

    Args:
        name: Its name in Solidity, which is also the name of its EIP-712 domain.
        topics: The first topics of all events that change a record.
        decode: Return the event in a log of the contract; None for a log that changes no record. Raise InvalidInput
            for a log that the contract cannot have made.
        references: The contracts whose addresses its constructor takes, in order: the name of the view function that
            gives the address, and the contract's name.
        ignored: Prefixes of topics. A log with one of them does not change a record, although `topics` has its first
            topic.
    """

    name: str
    topics: tuple[Bytes32, ...]
    decode: Callable[[Log], Event | None]
    references: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[tuple[Bytes32, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Matching:
    """The relation of a room's messages to its events. Only the index's second fold repeats it.

    Args:
        filters: Return the filters for all logs that the state before a message folds from.
        expected_event: Return the event that a message leads to, from the state before it and the moment of the
            event; None if the message cannot have an effect in that state.
        fold: Return the state after one more event; the state before the first event is None.
        named_signer: Return the account that must sign if the message names it; None if it is the owner of the
            subject.
        outdated: The names of the contract errors for messages that may already have taken effect.
    """

    filters: Callable[[Message], Sequence[TopicFilter]]
    expected_event: Callable[[Any, Any, Moment], Event | None]
    fold: Callable[[Any, Any, Moment], Any]
    named_signer: Callable[[Message], Address | None]
    outdated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RoomProtocol:
    """The offline half of a room.

    Args:
        name: The room's name: that of its folders.
        contracts: Its contracts, in the order in which they are deployed.
        messages: The messages that its contracts take.
        matching: The relation of messages to events.
        refusals: The errors with which its contracts refuse.
        proof: The functions that prove its state; None if evidence does not show it.
    """

    name: str
    contracts: tuple[Contract, ...]
    messages: tuple[type[Message], ...]
    matching: Matching
    refusals: tuple[Refusal, ...] = ()
    proof: ProofAdapter | None = None


class Protocols:
    """The offline halves of all rooms that a program knows, found by name.

    Args:
        rooms: The rooms; a contract that refers to another comes after it.

    Raises:
        ValueError: Two rooms share a name, a contract or a message.
    """

    def __init__(self, rooms: Sequence[RoomProtocol]) -> None:
        self.rooms = tuple(rooms)
        self.contracts: Mapping[str, Contract] = _by_name(
            (contract.name, contract) for room in rooms for contract in room.contracts
        )
        self.messages: Mapping[str, type[Message]] = _by_name(
            (message.__name__, message) for room in rooms for message in room.messages
        )
        self._rooms = _by_name((room.name, room) for room in rooms)
        self._rooms_of_contracts = {contract.name: room for room in rooms for contract in room.contracts}
        self.proven = tuple(room for room in rooms if room.proof is not None)
        self._rooms_of_messages = {message.__name__: room for room in rooms for message in room.messages}
        self.topics = tuple(topic for contract in self.contracts.values() for topic in contract.topics)
        self.ignored = tuple(prefix for contract in self.contracts.values() for prefix in contract.ignored)
        self.refusals = RefusalTable((*SHARED_REFUSALS, *chain.from_iterable(room.refusals for room in rooms)))

    def room(self, name: str) -> RoomProtocol:
        """Return the room with a name."""
        return self._rooms[name]

    def room_of(self, contract: str) -> RoomProtocol:
        """Return the room of a contract."""
        return self._rooms_of_contracts[contract]

    def matching(self, message: Message) -> Matching:
        """Return the relation of a message to its event."""
        return self._rooms_of_messages[type(message).__name__].matching

    def named_signer(self, message: Message) -> Address | None:
        """Return the account that must sign a message; None means the owner of its subject."""
        return self.matching(message).named_signer(message)

    def parse(self, kind: str, values: object) -> Message:
        """Return the message with a name and its JSON values.

        Raises:
            InvalidInput: There is no message with this name, or the values are malformed.
        """
        if kind not in self.messages:
            raise InvalidInput(f"There is no message {kind[:80]!r}.", hint=f"Known: {', '.join(self.messages)}.")
        return self.messages[kind].parse(values)


def _by_name(pairs: Iterator[tuple[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"two rooms have {name}")
        found[name] = value
    return found
