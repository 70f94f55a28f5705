"""Bringing the tables forward by events, and back to a height.

The head of each dataset is computed from its events, step by step; an event that cannot follow what is there shows that
events are missing, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from registry.base.errors import RegistryError
from registry.base.primitives import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.ethereum.logs import Log
from registry.index.chunks import chunks
from registry.index.events import DATASET_KINDS, Entry, Kind, stored_dataset_event
from registry.index.names import delete_words, name_key, names_of, put_words
from registry.index.position import first_position
from registry.index.tables import BLOCKS, DATASETS, EVENTS, GRANTS, SOURCES, VERSIONS, WORDS
from registry.rooms.access.events import AccessGranted, AccessRevoked
from registry.rooms.datasets.events import Registered, Revised, Transferred, Withdrawn
from registry.rooms.datasets.head import NO_HEAD, Head
from registry.rooms.datasets.messages import Source
from registry.storage.bulk import insert_rows
from registry.storage.errors import DUPLICATE_ERRORS

VERSION_BYTES: Final = 3


class BrokenHistory(RegistryError):
    """An event cannot follow those that are known: some are missing, or the contract is another one."""


@dataclass(slots=True)
class _Row:
    """A row of `datasets`, being worked on; the fields are the columns."""

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
    is_withdrawn: bool
    reason: bytes | None
    name: str | None
    name_key: str | None


_COLUMNS: Final = tuple(field.name for field in fields_of(_Row))
_ROW_VALUES: Final = attrgetter(*_COLUMNS)
_SELECT_ROWS: Final = select(*(DATASETS.c[name] for name in _COLUMNS))


@dataclass(slots=True)
class _Grant:
    """A row of `grants`, being worked on; the fields are the columns."""

    position: int
    dataset_id: DatasetId
    grantee: Address
    epoch: int
    rights: int
    starts_at: int
    expires_at: int
    terms_hash: Bytes32
    ended_position: int | None
    ended_at: int | None
    is_revoked: bool


_GRANT_COLUMNS: Final = tuple(field.name for field in fields_of(_Grant))
_GRANT_VALUES: Final = attrgetter(*_GRANT_COLUMNS)
_END_GRANT: Final = (
    update(GRANTS)
    .where(
        GRANTS.c.dataset_id == bindparam("of"),
        GRANTS.c.grantee == bindparam("to"),
        GRANTS.c.epoch == bindparam("at_epoch"),
        GRANTS.c.ended_position.is_(None),
    )
    .values(ended_position=bindparam("end"), ended_at=bindparam("end_at"), is_revoked=bindparam("revoked"))
)


def apply(connection: Connection, entries: Sequence[Entry]) -> None:
    """Adds events that follow all those that are there.

    Args:
        connection: In a transaction that writes.
        entries: In the order of the chain.

    Raises:
        BrokenHistory: One of them cannot follow; the transaction must be rolled back.
    """
    if not entries:
        return
    changed = {entry.event.dataset_id for entry in entries if entry.kind in _CHANGES}
    new = {entry.event.dataset_id for entry in entries if entry.kind is Kind.REGISTERED}
    # A new one is not looked for: if it is there all the same, the row's key forbids a second.
    rows = {row.dataset_id: row for row in _rows(connection, changed - new)}
    replaced = [row.dataset_id for row in rows.values()]
    unnamed = [row.position for row in rows.values() if row.name]
    batch = _Batch(rows)
    for entry in entries:
        batch.add(entry)
    for chunk in chunks(replaced):
        connection.execute(delete(DATASETS).where(DATASETS.c.dataset_id.in_(chunk)))
    delete_words(connection, unnamed)
    try:
        batch.write(connection)
        _insert(connection, rows.values())
    except DUPLICATE_ERRORS as error:
        raise BrokenHistory(
            "The node gave an event that is in the index already.", hint="Rebuild the index: tdr index rebuild."
        ) from error


def rewind(connection: Connection, height: int) -> None:
    """Takes away all events of blocks above a height, and all that they caused.

    Args:
        connection: In a transaction that writes.
        height: The last block to keep.
    """
    limit = first_position(height + 1)
    touched = set(
        connection.scalars(
            select(EVENTS.c.dataset_id).where(EVENTS.c.position >= limit, EVENTS.c.kind.in_(DATASET_KINDS)).distinct()
        )
    )
    connection.execute(delete(BLOCKS).where(BLOCKS.c.number > height))
    for table in (EVENTS, VERSIONS, SOURCES, GRANTS):
        connection.execute(delete(table).where(table.c.position >= limit))
    connection.execute(
        update(GRANTS)
        .where(GRANTS.c.ended_position >= limit)
        .values(ended_position=None, ended_at=None, is_revoked=False)
    )
    for chunk in chunks(touched):
        positions = select(DATASETS.c.position).where(DATASETS.c.dataset_id.in_(chunk))
        connection.execute(delete(WORDS).where(WORDS.c.position.in_(positions)))
        connection.execute(delete(DATASETS).where(DATASETS.c.dataset_id.in_(chunk)))
        batch = _Batch({})
        for entry in _stored(connection, chunk):
            batch.add(entry)
        _insert(connection, batch.rows.values())


class _Batch:
    """Folds events into rows."""

    def __init__(self, rows: dict[DatasetId, _Row]) -> None:
        self.rows = rows
        self._events: list[tuple[Any, ...]] = []
        self._versions: list[tuple[Any, ...]] = []
        self._sources: list[tuple[Any, ...]] = []
        self._grants: dict[tuple[DatasetId, Address, int], _Grant] = {}
        self._ends: list[dict[str, object]] = []

    def add(self, entry: Entry) -> None:
        """Folds one more event in."""
        account, head = ZERO_ADDRESS, None
        match entry.event:
            case Registered() as event:
                head = self._register(entry, event).head
            case Revised() as event:
                head = self._revise(entry, event).head
            case Transferred() as event:
                row = self._row(entry)
                _require(row.owner == event.previous_owner, entry)
                row.head = row.head.after_transfer(event.previous_owner, event.owner)
                row.owner, head = event.owner, row.head
            case Withdrawn() as event:
                row = self._row(entry)
                _require(not row.is_withdrawn, entry)
                row.head = row.head.after_withdrawal(event.reason)
                row.is_withdrawn, row.reason, head = True, event.reason, row.head
            case AccessGranted() as event:
                account = event.grantee
                self._end(entry, event, is_revoked=False)
                self._grants[event.dataset_id, account, event.epoch] = _Grant(
                    entry.position,
                    event.dataset_id,
                    account,
                    event.epoch,
                    event.rights,
                    event.starts_at,
                    event.expires_at,
                    event.terms_hash,
                    None,
                    None,
                    False,
                )
            case AccessRevoked() as event:
                account = event.grantee
                self._end(entry, event, is_revoked=True)
            case event:
                account = event.grantee
        self._events.append(
            (
                entry.position,
                entry.block_hash,
                entry.timestamp,
                entry.transaction_hash,
                int(entry.kind),
                event.dataset_id,
                account,
                head,
                b"".join(entry.log.topics),
                entry.log.data,
            )
        )

    def write(self, connection: Connection) -> None:
        """Writes all rows but those of the datasets themselves."""
        insert_rows(
            connection,
            EVENTS,
            (
                "position",
                "block_hash",
                "timestamp",
                "transaction_hash",
                "kind",
                "dataset_id",
                "account",
                "head",
                "topics",
                "data",
            ),
            self._events,
        )
        insert_rows(
            connection,
            VERSIONS,
            ("position", "dataset_id", "number", "content_root", "metadata_hash", "claimant"),
            self._versions,
        )
        insert_rows(connection, SOURCES, ("source_id", "source_version", "position", "dataset_id"), self._sources)
        insert_rows(connection, GRANTS, _GRANT_COLUMNS, [*map(_GRANT_VALUES, self._grants.values())])
        if self._ends:
            connection.execute(_END_GRANT, self._ends)

    def _register(self, entry: Entry, event: Registered) -> _Row:
        _require(event.dataset_id not in self.rows, entry)
        head = NO_HEAD.after_registration(
            event.dataset_id, event.owner, event.content_root, event.metadata_hash, event.uri, event.sources
        )
        row = _Row(
            event.dataset_id,
            entry.position,
            entry.timestamp,
            event.owner,
            event.salt,
            event.owner,
            head,
            1,
            event.content_root,
            event.metadata_hash,
            event.uri,
            packed(event.sources),
            entry.transaction_hash,
            entry.position,
            entry.timestamp,
            False,
            None,
            None,
            None,
        )
        self.rows[event.dataset_id] = row
        self._version(entry, row, event.sources)
        return row

    def _revise(self, entry: Entry, event: Revised) -> _Row:
        row = self._row(entry)
        _require(event.version == row.version + 1, entry)
        row.head = row.head.after_revision(event.content_root, event.metadata_hash, event.uri, event.sources)
        row.version, row.content_root, row.metadata_hash = event.version, event.content_root, event.metadata_hash
        row.uri, row.sources, row.transaction_hash = event.uri, packed(event.sources), entry.transaction_hash
        self._version(entry, row, event.sources)
        return row

    def _version(self, entry: Entry, row: _Row, sources: Sequence[Source]) -> None:
        self._versions.append(
            (entry.position, row.dataset_id, row.version, row.content_root, row.metadata_hash, row.owner)
        )
        self._sources += [(source.dataset_id, source.version, entry.position, row.dataset_id) for source in sources]

    def _row(self, entry: Entry) -> _Row:
        row = self.rows.get(entry.event.dataset_id)
        if row is None:
            raise _broken(entry)
        row.updated_position, row.updated_at = entry.position, entry.timestamp
        return row

    def _end(self, entry: Entry, event: AccessGranted | AccessRevoked, *, is_revoked: bool) -> None:
        """Ends the grant that the epoch before was, if it was one."""
        if event.epoch == 1:
            _require(not is_revoked, entry)
            return
        grant = self._grants.get((event.dataset_id, event.grantee, event.epoch - 1))
        if grant is not None:
            grant.ended_position, grant.ended_at, grant.is_revoked = entry.position, entry.timestamp, is_revoked
            return
        self._ends.append(
            {
                "of": event.dataset_id,
                "to": event.grantee,
                "at_epoch": event.epoch - 1,
                "end": entry.position,
                "end_at": entry.timestamp,
                "revoked": is_revoked,
            }
        )


_CHANGES: Final = frozenset({Kind.REGISTERED, Kind.REVISED, Kind.TRANSFERRED, Kind.WITHDRAWN})


def packed(sources: Iterable[Source]) -> bytes:
    """Sources as `datasets.sources` holds them: 32 bytes of id and 3 of version each."""
    return b"".join(source.dataset_id + source.version.to_bytes(VERSION_BYTES, "big") for source in sources)


def unpacked(sources: bytes) -> Iterator[tuple[DatasetId, int]]:
    """The ids and versions that `packed` made one."""
    step = DatasetId.LENGTH + VERSION_BYTES
    for start in range(0, len(sources), step):
        middle = start + DatasetId.LENGTH
        yield DatasetId(sources[start:middle]), int.from_bytes(sources[middle : start + step], "big")


def _insert(connection: Connection, rows: Collection[_Row]) -> None:
    """Inserts rows of `datasets` with the names of their latest versions."""
    names = names_of(connection, [row.dataset_id for row in rows if row.metadata_hash != ZERO_BYTES32])
    for row in rows:
        row.name = names.get((row.dataset_id, row.version, row.metadata_hash))
        row.name_key = name_key(row.name) if row.name else None
    insert_rows(connection, DATASETS, _COLUMNS, [*map(_ROW_VALUES, rows)])
    put_words(connection, [(row.position, row.name) for row in rows if row.name])


def _rows(connection: Connection, dataset_ids: Collection[DatasetId]) -> Iterator[_Row]:
    for chunk in chunks(dataset_ids):
        for values in connection.execute(_SELECT_ROWS.where(DATASETS.c.dataset_id.in_(chunk))):
            row = _Row(*values)
            row.head = Head(row.head)
            yield row


def _stored(connection: Connection, dataset_ids: Collection[DatasetId]) -> Iterator[Entry]:
    """The stored events of datasets themselves, in order."""
    rows = connection.execute(
        select(
            EVENTS.c.position,
            EVENTS.c.block_hash,
            EVENTS.c.timestamp,
            EVENTS.c.transaction_hash,
            EVENTS.c.kind,
            EVENTS.c.topics,
            EVENTS.c.data,
        )
        .where(EVENTS.c.dataset_id.in_(dataset_ids), EVENTS.c.account == ZERO_ADDRESS)
        .order_by(EVENTS.c.position)
    )
    nothing = Log(ZERO_ADDRESS, (), b"")
    for position, block_hash, timestamp, transaction_hash, kind, topics, data in rows:
        yield Entry(
            position, block_hash, timestamp, transaction_hash, Kind(kind), stored_dataset_event(topics, data), nothing
        )


def _require(holds: bool, entry: Entry) -> None:
    if not holds:
        raise _broken(entry)


def _broken(entry: Entry) -> BrokenHistory:
    return BrokenHistory(
        f"The event {entry.kind.name.lower()} of the dataset {entry.event.dataset_id} in the transaction "
        f"{entry.transaction_hash} cannot follow what the index knows of it.",
        hint="Rebuild the index: tdr index rebuild.",
    )
