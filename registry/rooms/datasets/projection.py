"""Fold the events of datasets into the rows of the index.

The head of each dataset is computed from its events, step by step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, select

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.feed.tables import EVENTS
from registry.index.chunks import chunks
from registry.index.events import stored_log
from registry.rooms.datasets import names
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn, decode
from registry.rooms.datasets.folded import DatasetFold
from registry.rooms.datasets.head import NO_HEAD, Head
from registry.rooms.datasets.messages import Source
from registry.rooms.datasets.names import delete_words, name_key, names_of, put_words
from registry.rooms.datasets.tables import DATASETS, SOURCES, VERSIONS, WORDS, packed
from registry.rooms.projection import BrokenHistory, IndexedEvent, Projection, Refresh
from registry.storage.bulk import insert_rows

KINDS: Final[dict[type, int]] = {Registered: 1, Revised: 2, Transferred: 3, Withdrawn: 4}


@dataclass(slots=True, kw_only=True)
class DatasetRow:
    """A row of `datasets` under construction; the fields are the columns."""

    dataset_id: DatasetId
    position: int
    registered_at: int
    first_owner: Address
    salt: Bytes32
    owner: Address
    head: Head
    version: int
    content_root: Bytes32
    metadata_hash: Bytes32
    uri: bytes
    sources: bytes
    transaction_hash: Bytes32
    updated_position: int
    updated_at: int
    is_withdrawn: bool = False
    reason: bytes | None = None
    name: str | None = None
    name_key: str | None = None


class VersionRow(NamedTuple):
    """A row of `versions`."""

    position: int
    dataset_id: DatasetId
    number: int
    content_root: Bytes32
    metadata_hash: Bytes32
    claimant: Address


class SourceRow(NamedTuple):
    """A row of `sources`."""

    source_id: DatasetId
    source_version: int
    position: int
    dataset_id: DatasetId


_COLUMNS: Final = tuple(field.name for field in fields_of(DatasetRow))
_VALUES: Final = attrgetter(*_COLUMNS)
_OF_DOCUMENTS: Final = ("name", "name_key")
"""The columns that the chain does not determine."""


class _Batch:
    """Fold events into rows.

    Args:
        rows: The existing rows of the datasets by id; new rows are added.
    """

    def __init__(self, rows: dict[bytes, DatasetRow]) -> None:
        self.rows = rows
        self.versions: list[VersionRow] = []
        self.sources: list[SourceRow] = []

    def add(self, indexed: IndexedEvent) -> Head:
        """Fold one more event; return the dataset's head after it.

        Raises:
            BrokenHistory: The event cannot follow.
        """
        match indexed.event:
            case Registered() as event:
                return self._register(indexed, event).head
            case Revised() as event:
                return self._revise(indexed, event).head
            case Transferred() as event:
                row = self._row(indexed)
                _require(row.owner == event.previous_owner, indexed)
                row.head = row.head.after_transfer(event.previous_owner, event.owner)
                row.owner = event.owner
            case Withdrawn() as event:
                row = self._row(indexed)
                _require(not row.is_withdrawn, indexed)
                row.head = row.head.after_withdrawal(event.reason)
                row.is_withdrawn, row.reason = True, event.reason
            case event:
                raise TypeError(f"{type(event).__name__} is not an event of a dataset")
        return row.head

    def _register(self, indexed: IndexedEvent, event: Registered) -> DatasetRow:
        _require(event.dataset_id not in self.rows, indexed)
        row = self.rows[event.dataset_id] = DatasetRow(
            dataset_id=event.dataset_id,
            position=indexed.position,
            registered_at=indexed.timestamp,
            first_owner=event.owner,
            salt=event.salt,
            owner=event.owner,
            head=NO_HEAD.after_registration(
                event.dataset_id, event.owner, event.content_root, event.metadata_hash, event.uri, event.sources
            ),
            version=1,
            content_root=event.content_root,
            metadata_hash=event.metadata_hash,
            uri=event.uri,
            sources=packed(event.sources),
            transaction_hash=indexed.transaction_hash,
            updated_position=indexed.position,
            updated_at=indexed.timestamp,
        )
        self._version(indexed, row, event.sources)
        return row

    def _revise(self, indexed: IndexedEvent, event: Revised) -> DatasetRow:
        row = self._row(indexed)
        _require(event.version == row.version + 1, indexed)
        row.head = row.head.after_revision(event.content_root, event.metadata_hash, event.uri, event.sources)
        row.version, row.content_root, row.metadata_hash = event.version, event.content_root, event.metadata_hash
        row.uri, row.sources, row.transaction_hash = event.uri, packed(event.sources), indexed.transaction_hash
        self._version(indexed, row, event.sources)
        return row

    def _version(self, indexed: IndexedEvent, row: DatasetRow, sources: Sequence[Source]) -> None:
        self.versions.append(
            VersionRow(indexed.position, row.dataset_id, row.version, row.content_root, row.metadata_hash, row.owner)
        )
        self.sources += [
            SourceRow(source.dataset_id, source.version, indexed.position, row.dataset_id) for source in sources
        ]

    def _row(self, indexed: IndexedEvent) -> DatasetRow:
        row = self.rows.get(indexed.event.dataset_id)
        if row is None:
            raise BrokenHistory.at(indexed)
        row.updated_position, row.updated_at = indexed.position, indexed.timestamp
        return row


def apply(connection: Connection, events: Sequence[IndexedEvent]) -> list[Head]:
    """Write the rows of events that follow all events in the index; return the dataset's head after each.

    Raises:
        BrokenHistory: One of them cannot follow.
    """
    new = {event.event.dataset_id for event in events if isinstance(event.event, Registered)}
    changed = {event.event.dataset_id for event in events} - new
    # A new dataset is not looked up: if it already exists, the primary key prevents a second row.
    rows: dict[bytes, DatasetRow] = {row.dataset_id: row for row in _rows(connection, changed)}
    replaced = [row.dataset_id for row in rows.values()]
    named = [row.position for row in rows.values() if row.name]
    batch = _Batch(rows)
    heads = [batch.add(event) for event in events]
    for chunk in chunks(replaced):
        connection.execute(delete(DATASETS).where(DATASETS.c.dataset_id.in_(chunk)))
    delete_words(connection, named)
    insert_rows(connection, VERSIONS, VersionRow._fields, batch.versions)
    insert_rows(connection, SOURCES, SourceRow._fields, batch.sources)
    _insert(connection, rows.values())
    return heads


def rewind(connection: Connection, limit: int, dataset_ids: Sequence[Bytes32]) -> None:
    """Undo the effects of events at or above a position.

    Args:
        connection: In a transaction that writes; the events are already deleted.
        limit: The position.
        dataset_ids: The datasets of these events.
    """
    for table in (VERSIONS, SOURCES):
        connection.execute(delete(table).where(table.c.position >= limit))
    for chunk in chunks(dataset_ids):
        positions = select(DATASETS.c.position).where(DATASETS.c.dataset_id.in_(chunk))
        connection.execute(delete(WORDS).where(WORDS.c.position.in_(positions)))
        connection.execute(delete(DATASETS).where(DATASETS.c.dataset_id.in_(chunk)))
        batch = _Batch({})
        for event in _stored(connection, chunk):
            batch.add(event)
        _insert(connection, batch.rows.values())


def stored_event(topics: bytes, data: bytes) -> DatasetEvent:
    """Return the event of a stored row.

    Args:
        topics: The log's topics, concatenated.
        data: The log's data.
    """
    event = decode(stored_log(topics, data))
    if event is None:
        raise ValueError("a stored event of a dataset cannot be decoded")
    return event


def _insert(connection: Connection, rows: Collection[DatasetRow]) -> None:
    """Insert rows of `datasets` with the names of their latest versions."""
    known = names_of(connection, [row.dataset_id for row in rows if row.metadata_hash != ZERO_BYTES32])
    for row in rows:
        row.name = known.get((row.dataset_id, row.version, row.metadata_hash))
        row.name_key = name_key(row.name) if row.name else None
    insert_rows(connection, DATASETS, _COLUMNS, [*map(_VALUES, rows)])
    put_words(connection, [(row.position, row.name) for row in rows if row.name])


def _rows(connection: Connection, dataset_ids: Collection[DatasetId]) -> Iterator[DatasetRow]:
    columns = [DATASETS.c[name] for name in _COLUMNS]
    for chunk in chunks(dataset_ids):
        for values in connection.execute(select(*columns).where(DATASETS.c.dataset_id.in_(chunk))):
            row = DatasetRow(**dict(zip(_COLUMNS, values, strict=True)))
            row.head = Head(row.head)
            yield row


def _stored(connection: Connection, dataset_ids: Collection[Bytes32]) -> Iterator[IndexedEvent]:
    """Yield the stored events of datasets in the order of the chain."""
    rows: Iterable[Any] = connection.execute(
        select(
            EVENTS.c.position,
            EVENTS.c.block_hash,
            EVENTS.c.timestamp,
            EVENTS.c.transaction_hash,
            EVENTS.c.kind,
            EVENTS.c.topics,
            EVENTS.c.data,
        )
        .where(EVENTS.c.subject_id.in_(dataset_ids), EVENTS.c.kind.in_(tuple(KINDS.values())))
        .order_by(EVENTS.c.position)
    )
    for position, block_hash, timestamp, transaction_hash, kind, topics, data in rows:
        log = stored_log(topics, data)
        yield IndexedEvent(position, block_hash, timestamp, transaction_hash, kind, stored_event(topics, data), log)


def _require(holds: bool, event: IndexedEvent) -> None:
    if not holds:
        raise BrokenHistory.at(event)


PROJECTION = Projection(
    kinds=KINDS,
    tables={
        DATASETS: tuple(name for name in _COLUMNS if name not in _OF_DOCUMENTS),
        VERSIONS: VersionRow._fields,
        SOURCES: SourceRow._fields,
    },
    derived=(WORDS,),
    texts=frozenset({"uri", "reason"}),
    apply=apply,
    rewind=rewind,
    fold=DatasetFold,
    refresh=Refresh(names.has_changes, names.name_changed),
)
