"""A room's part of the index: how its events become rows of its own tables."""

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
    """One event of a room, and where it is on the chain.

    Attributes:
        position: The place as one number; see `registry.index.position`.
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
        """The same place as records have it."""
        return Moment(
            block_of(self.position),
            log_index_of(self.position),
            self.timestamp,
            self.block_hash,
            self.transaction_hash,
        )


class BrokenHistory(RegistryError):
    """An event cannot follow those that are known: some are missing, or the contract is another one."""

    @classmethod
    def at(cls, event: IndexedEvent) -> BrokenHistory:
        """Return the error for an event."""
        return cls(
            f"The event {type(event.event).__name__} of the {event.event.subject} in the transaction"
            f" {event.transaction_hash} cannot follow what the index knows of it.",
            hint="Rebuild the index: tdr index rebuild.",
        )


class Fold(Protocol):
    """What a room's tables must hold, by other code than its `apply`, on purpose: both are compared."""

    def add(self, event: IndexedEvent) -> Bytes32 | None:
        """Add one more event; return the head of its subject after it, or None where it changes no head.

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
        derived: Tables that are emptied with these, but are not determined by the chain alone.
        texts: The columns that are compared as text: the records keep no more of them.
        apply: Write the rows of events that follow all those that were applied before, in a transaction that writes.
            Return for each event the head of its subject after it; None where it changes no head. Raise BrokenHistory
            where an event cannot follow.
        rewind: Take back all rows that come from events at or above a position, which the engine has deleted; given
            are the position and the ids of the subjects of these events.
        fold: Return an empty fold.
        refresh: How to bring up to date what comes from elsewhere than the chain, for example names in documents.
        timers: What happens when the timers that `apply` derives from events are due, by their names. The engine drops
            them with their events; `rewind` derives those again that depend on an event that was taken back.
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
    """How rows that do not come from the chain alone are brought up to date.

    Args:
        is_due: Return whether there is anything to do; reads only.
        run: Do some of it, in a transaction that writes.
    """

    is_due: Callable[[Connection], bool]
    run: Callable[[Connection], object]
