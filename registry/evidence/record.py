"""The records in evidence: events with their places on the chain, and the states that they fold to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from registry.base.errors import InvalidInput
from registry.base.primitives import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, FixedBytes
from registry.base.subject import Subject
from registry.ethereum.eip712 import Struct
from registry.ethereum.header import Header
from registry.ethereum.logs import Log, Moment
from registry.evidence.parts import Count, Part, Text
from registry.rooms.proof_adapter import ProofAdapter
from registry.rooms.protocol import Event, Protocols, RoomProtocol

_SUBJECT_FIELD = "dataset_id"
"""The value that format 1 omits from events, because the bundle names its subject once."""


class BlockRecord(Part):
    """A block. `time` is Unix seconds, UTC."""

    hash: Bytes32
    number: Count
    time: Count


class EventRecord(Part):
    """An event: its name and values as in Solidity, and its place on the chain.

    `transaction` counts from 0 in the block, `log` from 0 in the transaction; `time` is that of the block. A string
    that is not UTF-8 is represented by an object with its bytes as `hex`.
    """

    block: Count
    event: Text
    log: Count
    time: Count
    transaction: Count
    values: dict[str, Any]


class Record(Part):
    """A dataset as of a block, with its whole history up to there, and the access of some grantees."""

    # The fields are those here and the rooms' parts, in the order of their names: see `registry.evidence.bundle`.
    if TYPE_CHECKING:
        block: BlockRecord
        events: tuple[EventRecord, ...]

    def part(self, field: str) -> Any:
        """Return the part of a room by the name of its member."""
        return getattr(self, field)


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a state: in one room, a subject, or one account in relation to it.

    Args:
        room: The room's name.
        subject: The subject.
        account: The account; the zero address for the subject itself.
    """

    room: str
    subject: Subject
    account: Address = ZERO_ADDRESS


@dataclass(frozen=True, slots=True)
class LocatedLog:
    """A log and its place on the chain.

    Args:
        log: The log.
        block: The header of its block.
        transaction: The transaction's index in the block, from 0.
        index: The log's index in the transaction's receipt, from 0.
    """

    log: Log
    block: Header
    transaction: int
    index: int


@dataclass(frozen=True, slots=True)
class EventInContext:
    """An event, its place on the chain, and the states just before it.

    Args:
        event: The event.
        located: Its log.
        scope: The scope whose state it changed.
        at: Its moment, with the number of the event in place of the log's index and without a transaction hash.
        before: The state of the scope before it; None before the first event.
        subject_before: The state of the subject before it; None before the first event.
    """

    event: Event
    located: LocatedLog
    scope: Scope
    at: Moment
    before: Any
    subject_before: Any


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof of the state of one scope.

    Args:
        scope: The scope.
        contract: The name of the contract.
        slots: The value that each storage slot of the contract must have.
        events: The indices of its events in the history.
        state: The state that the events fold to; None if there are none.
    """

    scope: Scope
    contract: str
    slots: Mapping[Bytes32, Bytes32]
    events: tuple[int, ...]
    state: Any


@dataclass(frozen=True, slots=True)
class History:
    """The events of some scopes, and the states that they fold to.

    Args:
        events: Every event that changed one of the states, in the order of the chain.
        proofs: The proof of each state, in the order in which the scopes were given.
    """

    events: tuple[EventInContext, ...]
    proofs: tuple[Proof, ...]

    @property
    def main(self) -> Proof:
        """The proof of the subject itself."""
        return self.proofs[0]

    def of_room(self, room: str) -> tuple[Proof, ...]:
        """Return the proofs of one room's states."""
        return tuple(proof for proof in self.proofs if proof.scope.room == room)

    def states(self, room: str) -> dict[Address, Any]:
        """Return one room's states by account; the zero address for the subject itself."""
        return {proof.scope.account: proof.state for proof in self.of_room(room)}


def proof_of(room: RoomProtocol) -> ProofAdapter:
    """Return the functions by which a room's state is proven.

    Raises:
        InvalidInput: Evidence does not support the room.
    """
    if room.proof is None:
        raise InvalidInput(f"Evidence cannot show the room {room.name}.")
    return room.proof


def main_room(protocols: Protocols) -> RoomProtocol:
    """Return the room of the subject of a bundle of format 1: the first one with its own record.

    Raises:
        InvalidInput: No room has its own record.
    """
    for room in protocols.proven:
        if proof_of(room).part.account is None:
            return room
    raise InvalidInput("No room has a record that evidence can show.")


def history_of(
    logs: Iterable[LocatedLog], scopes: Sequence[Scope], addresses: Mapping[str, Address], protocols: Protocols
) -> History:
    """Return the events among logs, and the states that they fold to.

    Args:
        logs: Logs in the order of the chain. Logs that concern none of the scopes are skipped.
        scopes: The scopes, that of the subject itself first.
        addresses: The contracts' addresses by name.
        protocols: The rooms.

    Raises:
        InvalidInput: The subject has no first event, or an event cannot follow the previous one, so events are missing.
    """
    contracts = {addresses[name]: name for name in reversed(list(protocols.contracts)) if name in addresses}
    states: dict[Scope, Any] = dict.fromkeys(scopes)
    events: list[EventInContext] = []
    for located in logs:
        contract = contracts.get(located.log.address)
        event = None if contract is None else protocols.contracts[contract].decode(located.log)
        if contract is None or event is None:
            continue
        room = protocols.room_of(contract)
        scope = Scope(room.name, event.subject, event.account)
        if scope not in states:
            continue
        # A receipt's proof tells neither the log's index in the block nor the transaction's hash: no state here uses
        # either, and the order of the events is kept.
        block = located.block
        at = Moment(block.number, len(events), block.timestamp, block.hash, ZERO_BYTES32)
        before, subject_before = states[scope], states[scopes[0]]
        states[scope] = room.matching.fold(before, event, at)
        events.append(EventInContext(event, located, scope, at, before, subject_before))
    if states[scopes[0]] is None:
        subject = scopes[0].subject
        raise InvalidInput(f"The registration of the {subject.kind} {subject.id} is not among the events.")
    return History(tuple(events), tuple(_proof(scope, states[scope], events, protocols) for scope in scopes))


def _proof(scope: Scope, state: Any, events: Sequence[EventInContext], protocols: Protocols) -> Proof:
    adapter = proof_of(protocols.room(scope.room))
    return Proof(
        scope=scope,
        contract=adapter.contract,
        slots=adapter.slots(scope.subject.id, scope.account, state),
        events=tuple(index for index, shown in enumerate(events) if shown.scope == scope),
        state=state,
    )


def event_record(shown: EventInContext) -> EventRecord:
    """Return the record of an event."""
    event, located = shown.event, shown.located
    names = [field.name for field in fields(event) if field.name != _SUBJECT_FIELD]  # type: ignore[arg-type]
    return EventRecord(
        block=located.block.number,
        event=type(event).__name__,
        log=located.index,
        time=located.block.timestamp,
        transaction=located.transaction,
        values={to_camel(name): json_value(getattr(event, name)) for name in names},
    )


def json_value(value: object) -> Any:
    """Return a value of an event as JSON. A Solidity string that is not UTF-8 becomes an object with its hex."""
    match value:
        case tuple():
            return [json_value(item) for item in value]
        case Struct():
            return value.to_json()
        case FixedBytes():
            return str(value)
        case bytes():
            return _text(value)
    return value


def _text(raw: bytes) -> Any:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"hex": f"0x{raw.hex()}"}
