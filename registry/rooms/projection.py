"""A room's part of the index: it turns the room's events into rows of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Table

from registry.base.errors import RegistryError
from registry.base.primitives import Bytes32
from registry.ethereum.logs import Log, Moment
from registry.index.position import block_of, log_index_of
from registry.timers.schedule import Handler

Row = tuple[Any, ...]


class IndexedEvent(NamedTuple):
    """One event of a room and its place on the chain.

    Attributes:
        position: The place as a number; see `registry.index.position`.
        block_hash: The hash of its block.
        timestamp: The time of its block, Unix seconds, UTC.
        transaction_hash: The hash of its transaction.
        kind: The number of its kind; see `Projection.kinds`.
        event: The decoded event.
        log: The log that it was decoded from.
    """

    position: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32
    kind: int
    event: Any
    log: Log

    @property
    def moment(self) -> Moment:
        """The place in the form that records use."""
        return Moment(
            block_of(self.position),
            log_index_of(self.position),
            self.timestamp,
            self.block_hash,
            self.transaction_hash,
        )


class BrokenHistory(RegistryError):
    """The error for an event that cannot follow the known ones: events are missing, or the contract is another one."""

    @classmethod
    def at(cls, event: IndexedEvent) -> BrokenHistory:
        """Return the error for an event."""
        return cls(
            f"The event {type(event.event).__name__} of the {event.event.subject} in the transaction"
            f" {event.transaction_hash} cannot follow the events in the index.",
            hint="Rebuild the index: tdr index rebuild.",
        )


class Fold(Protocol):
    """A second computation of a room's tables, deliberately separate from `apply` so that both can be compared."""

    def add(self, event: IndexedEvent) -> Bytes32 | None:
        """Add one more event; return the head of its subject after it, or None if it does not change a head.

        Raises:
            InvalidInput: The event cannot follow.
        """

    def rows(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Yield the rows of each table of the room, in any order."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A room's part of the index.

    Args:
        kinds: The number under which each type of event is stored: below 2**15, unique among the rooms, never changed.
        tables: The room's tables, each with the columns that the chain determines, those of the primary key first.
        derived: Tables that are emptied together with these, but do not depend on the chain alone.
        texts: The columns that are compared as text, because the records keep only the text.
        apply: Write the rows of events that follow all those that were applied before, in a transaction that writes.
            Return for each event the head of its subject after it; None if it does not change a head. Raise
            BrokenHistory if an event cannot follow.
        rewind: Undo all rows from events at or above a position, which the engine has already deleted; takes the
            position and the ids of the subjects of these events.
        fold: Return an empty fold.
        refresh: Update values that do not come from the chain, for example names in documents.
        timers: The actions of timers that `apply` derives from events, by their names. The engine drops timers together
            with their events; `rewind` restores timers that an undone event had cancelled.
    """

    kinds: Mapping[type, int]
    tables: Mapping[Table, tuple[str, ...]]
    apply: Callable[[Connection, Sequence[IndexedEvent]], Sequence[Bytes32 | None]]
    rewind: Callable[[Connection, int, Sequence[Bytes32]], None]
    fold: Callable[[], Fold]
    derived: tuple[Table, ...] = ()
    texts: frozenset[str] = frozenset()
    refresh: Refresh | None = None
    timers: Mapping[str, Handler] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refresh:
    """The update of rows that do not come from the chain alone.

    Args:
        is_due: Return whether there is anything to do; reads only.
        run: Do some of it, in a transaction that writes.
    """

    is_due: Callable[[Connection], bool]
    run: Callable[[Connection], object]
