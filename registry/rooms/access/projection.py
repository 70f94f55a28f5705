"""Fold the events of access into the rows of the index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, update

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.ethereum.logs import Moment
from registry.index.events import stored_log
from registry.index.position import position_of
from registry.rooms.access import timers
from registry.rooms.access.events import AccessEvent, AccessGranted, AccessRequested, AccessRevoked, decode
from registry.rooms.access.records import Access, fold
from registry.rooms.access.tables import GRANTS
from registry.rooms.projection import BrokenHistory, IndexedEvent, Projection, Row
from registry.storage.bulk import insert_rows

KINDS: Final[dict[type, int]] = {AccessRequested: 5, AccessGranted: 6, AccessRevoked: 7}


class GrantRow(NamedTuple):
    """A row of `grants`."""

    position: int
    dataset_id: DatasetId
    grantee: Address
    epoch: int
    rights: int
    starts_at: int
    expires_at: int
    terms_hash: Bytes32
    ended_position: int | None = None
    ended_at: int | None = None
    is_revoked: bool = False

    @property
    def will_expire(self) -> bool:
        """Whether no known event ends it before its expiry."""
        return self.ended_at is None or self.ended_at >= self.expires_at


_END: Final = (
    update(GRANTS)
    .where(
        GRANTS.c.dataset_id == bindparam("of"),
        GRANTS.c.grantee == bindparam("to"),
        GRANTS.c.epoch == bindparam("at_epoch"),
        GRANTS.c.ended_position.is_(None),
    )
    .values(ended_position=bindparam("end"), ended_at=bindparam("end_at"), is_revoked=bindparam("revoked"))
)


def apply(connection: Connection, events: Sequence[IndexedEvent]) -> list[None]:
    """Write the rows of events that follow all events in the index. They do not change heads.

    Raises:
        BrokenHistory: One of them cannot follow.
    """
    grants: dict[tuple[DatasetId, Address, int], GrantRow] = {}
    ends: list[dict[str, object]] = []
    for indexed in events:
        event = indexed.event
        if isinstance(event, AccessGranted | AccessRevoked):
            _end(grants, ends, indexed, event)
        if isinstance(event, AccessGranted):
            grants[event.dataset_id, event.grantee, event.epoch] = GrantRow(
                indexed.position,
                event.dataset_id,
                event.grantee,
                event.epoch,
                event.rights,
                event.starts_at,
                event.expires_at,
                event.terms_hash,
            )
    insert_rows(connection, GRANTS, GrantRow._fields, [*grants.values()])
    if ends:
        connection.execute(_END, ends)
    if events:
        has_ends = bool(ends) or any(grant.ended_position for grant in grants.values())
        expiries = [(grant.position, grant.expires_at) for grant in grants.values() if grant.will_expire]
        timers.follow(connection, expiries, events[0].position, has_ends=has_ends)
    return [None] * len(events)


def rewind(connection: Connection, limit: int, dataset_ids: Sequence[Bytes32]) -> None:
    """Undo the effects of events at or above a position.

    Args:
        connection: In a transaction that writes.
        limit: The position.
        dataset_ids: The datasets of these events; unused, because each row has its position.
    """
    connection.execute(delete(GRANTS).where(GRANTS.c.position >= limit))
    timers.restore(connection, limit)
    connection.execute(
        update(GRANTS)
        .where(GRANTS.c.ended_position >= limit)
        .values(ended_position=None, ended_at=None, is_revoked=False)
    )


def stored_event(topics: bytes, data: bytes) -> AccessEvent:
    """Return the event of a stored row.

    Args:
        topics: The log's topics, concatenated.
        data: The log's data.
    """
    event = decode(stored_log(topics, data))
    if event is None:
        raise ValueError("a stored event of access cannot be decoded")
    return event


def _end(
    grants: dict[tuple[DatasetId, Address, int], GrantRow],
    ends: list[dict[str, object]],
    indexed: IndexedEvent,
    event: AccessGranted | AccessRevoked,
) -> None:
    """End the grant of the previous epoch, if that epoch was a grant."""
    is_revoked = isinstance(event, AccessRevoked)
    if event.epoch == 1:
        if is_revoked:
            raise BrokenHistory.at(indexed)
        return
    key = event.dataset_id, event.grantee, event.epoch - 1
    if key in grants:
        grants[key] = grants[key]._replace(
            ended_position=indexed.position, ended_at=indexed.timestamp, is_revoked=is_revoked
        )
        return
    ends.append(
        {
            "of": event.dataset_id,
            "to": event.grantee,
            "at_epoch": event.epoch - 1,
            "end": indexed.position,
            "end_at": indexed.timestamp,
            "revoked": is_revoked,
        }
    )


class AccessFold:
    """The rows that the table of grants must hold, by the fold of records.

    This second fold of the same events is deliberate: `tdr index check` compares it with the rows of `apply`.
    """

    def __init__(self) -> None:
        self._accesses: dict[tuple[DatasetId, Address], Access] = {}
        self._epochs: dict[int, int] = {}

    def add(self, event: IndexedEvent) -> None:
        """Add one more event.

        Raises:
            InvalidInput: The event cannot follow.
        """
        key = event.event.dataset_id, event.event.grantee
        self._accesses[key] = fold(self._accesses.get(key), event.event, event.moment)
        if isinstance(event.event, AccessGranted):
            self._epochs[event.position] = event.event.epoch

    def rows(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Yield the rows of the table."""
        yield GRANTS, (row for access in self._accesses.values() for row in self._grants(access))

    def _grants(self, access: Access) -> Iterator[Row]:
        for grant in access.grants:
            position = _place(grant.at)
            yield (
                position,
                access.dataset_id,
                access.grantee,
                self._epochs[position],
                grant.rights,
                grant.starts_at,
                grant.expires_at,
                grant.terms_hash,
                None if grant.ended is None else _place(grant.ended),
                None if grant.ended is None else grant.ended.timestamp,
                grant.is_revoked,
            )


def _place(at: Moment) -> int:
    return position_of(at.block_number, at.log_index)


PROJECTION = Projection(
    kinds=KINDS,
    tables={GRANTS: GrantRow._fields},
    apply=apply,
    rewind=rewind,
    fold=AccessFold,
    timers={timers.TIMER: timers.announce},
)
