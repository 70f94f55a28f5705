"""A room's part of the index: how its events become rows of its own tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table

from registry.base.primitives import Bytes32
from registry.ethereum.logs import Log, Moment
from registry.index.position import block_of, log_index_of

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


@dataclass(frozen=True, slots=True)
class Projection:
    """A room's part of the index.

    Args:
        kinds: The number that each type of event is stored under: below 2**15, unique among the rooms, never changed.
        tables: The columns of the room's tables that the chain determines, in the tables' order of creation; those of
            the primary key come first.
        also: Tables that are emptied with these, but hold more than the chain determines.
        apply: Write the rows of events that follow all those that were applied before, in a transaction that writes.
            Return the head of each event's subject after it; None where the event changes no head. Raise BrokenHistory
            where an event cannot follow.
        rewind: Take back all rows that come from events at or above a position. The engine has deleted these events.
        fold: Return the rows that the tables must have, from all events of the room in the order of the chain; by
            other code than `apply`, on purpose: `tdr index check` compares both. First the head after each event.
        refresh: Bring what comes from elsewhere than the chain up to date, for example names in documents; return
            whether there was anything to do. Called before each step.
    """

    kinds: Mapping[type, int]
    tables: Mapping[Table, tuple[str, ...]]
    also: tuple[Table, ...]
    apply: Callable[[Connection, Sequence[IndexedEvent]], Sequence[Bytes32 | None]]
    rewind: Callable[[Connection, int, Sequence[Bytes32]], None]
    fold: Callable[[Iterable[IndexedEvent]], FoldedRoom]
    refresh: Callable[[Connection], bool] | None = None


@dataclass(frozen=True, slots=True)
class FoldedRoom:
    """What a room's tables must hold.

    Args:
        heads: The head of the subject after each event, in order; None where the event changes no head.
        rows: The rows of each table by its name, in the order of the primary key.
    """

    heads: Sequence[Bytes32 | None]
    rows: Mapping[str, Iterator[Row]]
