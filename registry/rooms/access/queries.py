"""Queries over the access in the index. Each answer is one snapshot, with its block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, case, exists, func, select

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.feed.tables import EVENTS
from registry.index.pages import (
    DEFAULT_LIMIT,
    LAST,
    MAX_LIMIT,
    PLACE,
    PLACE_COLUMNS,
    EventPlace,
    Listing,
    Page,
    Snapshot,
    place_of,
)
from registry.rooms.access.events import AccessRequested
from registry.rooms.access.projection import KINDS, stored_event
from registry.rooms.access.tables import GRANTS
from registry.rooms.datasets.queries import as_of_dataset
from registry.rooms.datasets.tables import DATASETS
from registry.storage import Storage

GRANT_LISTING: Final = Listing("g")
REQUEST_LISTING: Final = Listing("r")
REQUESTED: Final = KINDS[AccessRequested]


class GrantItem(NamedTuple):
    """One grant.

    Attributes:
        at: The place of its event.
        grantee: The account that received it.
        rights: The rights, one bit each.
        starts_at: When it starts, Unix seconds, UTC.
        expires_at: When it ends (exclusive), as it was granted.
        ended_at: When it was revoked or replaced, or None.
        is_revoked: Whether it ended by a revocation.
        terms_hash: SHA-256 of the terms, or zero.
        epoch: Its number among the grants and revocations of the grantee.
    """

    at: EventPlace
    grantee: Address
    rights: int
    starts_at: int
    expires_at: int
    ended_at: int | None
    is_revoked: bool
    terms_hash: Bytes32
    epoch: int


class RequestItem(NamedTuple):
    """One request for access.

    Attributes:
        at: The place of its event.
        event: Its event.
        is_granted: Whether a grant to the grantee followed; None if this was not queried.
    """

    at: EventPlace
    event: AccessRequested
    is_granted: bool | None = None


class GranteeItem(NamedTuple):
    """A grantee's access to a dataset in the index.

    Attributes:
        epoch: The number of grants and revocations.
        requests: The number of requests.
        grants: The latest grants, newest first.
        access_requests: The latest requests, newest first.
    """

    epoch: int
    requests: int
    grants: tuple[GrantItem, ...]
    access_requests: tuple[RequestItem, ...]


class AccessItem(NamedTuple):
    """The facts that decide whether an account may use a dataset at a time.

    Attributes:
        grant: The deciding grant: the latest one given by then, or the first one given later; None if there is none.
        is_withdrawn: Whether the dataset is withdrawn now.
    """

    grant: GrantItem | None
    is_withdrawn: bool


_GRANTS: Final = (
    select(
        *PLACE,
        GRANTS.c.grantee,
        GRANTS.c.rights,
        GRANTS.c.starts_at,
        GRANTS.c.expires_at,
        GRANTS.c.ended_at,
        GRANTS.c.is_revoked,
        GRANTS.c.terms_hash,
        GRANTS.c.epoch,
    )
    .select_from(GRANTS.join(EVENTS, EVENTS.c.position == GRANTS.c.position))
    .where(GRANTS.c.dataset_id == bindparam("dataset_id"))
)
_REQUEST: Final = (*PLACE, EVENTS.c.topics, EVENTS.c.data)
_REQUESTS: Final = (
    select(
        *_REQUEST,
        exists()
        .where(
            GRANTS.c.dataset_id == EVENTS.c.subject_id,
            GRANTS.c.grantee == EVENTS.c.account,
            GRANTS.c.position > EVENTS.c.position,
        )
        .label("is_granted"),
    )
    .where(
        EVENTS.c.subject_id == bindparam("dataset_id"),
        EVENTS.c.kind == REQUESTED,
        EVENTS.c.position < bindparam("before"),
    )
    .order_by(EVENTS.c.position.desc())
    .limit(bindparam("count"))
)
_WAS_GIVEN: Final = EVENTS.c.timestamp <= bindparam("time")
_ACCESS: Final = (
    # The grant that decides about a time: the latest one given by then, or the first one given later.
    _GRANTS.where(GRANTS.c.grantee == bindparam("grantee"))
    .order_by(case((_WAS_GIVEN, 0), else_=1), case((_WAS_GIVEN, -GRANTS.c.epoch), else_=GRANTS.c.epoch))
    .limit(1)
)


class AccessQueries:
    """Read the access to datasets in the index.

    Every method raises NotFound if the dataset does not exist, NotIndexed before the index has begun, and
    StorageUnavailable if the database cannot be read. The `next` of a page continues the list.

    Args:
        storage: The database.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def close(self) -> None:
        """Do nothing: there are no resources to release."""

    def grants(
        self,
        dataset_id: DatasetId,
        grantee: Address | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Snapshot[Page[GrantItem]]:
        """Return the grants of a dataset, newest first.

        Args:
            dataset_id: The dataset.
            grantee: Only the grants of this account; None means all.
            limit: The most rows per page.
            cursor: The `next` of the previous page; None for the first page.

        Raises:
            InvalidInput: The cursor is not one of this list.
        """
        before = GRANT_LISTING.place(cursor, LAST)
        statement = _GRANTS.where(GRANTS.c.position < before).order_by(GRANTS.c.position.desc()).limit(limit + 1)
        if grantee is not None:
            statement = statement.where(GRANTS.c.grantee == grantee)
        with self._storage.read() as connection:
            as_of = as_of_dataset(connection, dataset_id)
            rows = connection.execute(statement, {"dataset_id": dataset_id}).all()
        items = [_grant(row) for row in rows]
        return Snapshot(GRANT_LISTING.page(items, [item.at.position for item in items], limit), as_of)

    def requests(
        self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Snapshot[Page[RequestItem]]:
        """Return the requests for access to a dataset, newest first, and whether a grant followed.

        Raises:
            InvalidInput: The cursor is not one of this list.
        """
        before = REQUEST_LISTING.place(cursor, LAST)
        with self._storage.read() as connection:
            as_of = as_of_dataset(connection, dataset_id)
            rows = connection.execute(_REQUESTS, {"dataset_id": dataset_id, "before": before, "count": limit + 1}).all()
        items = [_request(row) for row in rows]
        return Snapshot(REQUEST_LISTING.page(items, [item.at.position for item in items], limit), as_of)

    def grantee(self, dataset_id: DatasetId, grantee: Address) -> Snapshot[GranteeItem]:
        """Return the counters that the next message about a grantee must name, and the latest grants and requests."""
        of_grantee = (
            EVENTS.c.subject_id == dataset_id,
            EVENTS.c.account == grantee,
            EVENTS.c.kind.in_(tuple(KINDS.values())),
        )
        is_request = EVENTS.c.kind == REQUESTED
        with self._storage.read() as connection:
            as_of = as_of_dataset(connection, dataset_id)
            total = connection.scalar(select(func.count()).where(*of_grantee)) or 0
            requests = connection.scalar(select(func.count()).where(*of_grantee, is_request)) or 0
            grants = connection.execute(
                _GRANTS.where(GRANTS.c.grantee == grantee).order_by(GRANTS.c.epoch.desc()).limit(MAX_LIMIT),
                {"dataset_id": dataset_id},
            ).all()
            latest = select(*_REQUEST).where(*of_grantee, is_request).order_by(EVENTS.c.position.desc())
            requested = connection.execute(latest.limit(MAX_LIMIT)).all()
        return Snapshot(
            GranteeItem(total - requests, requests, tuple(map(_grant, grants)), tuple(map(_request, requested))), as_of
        )

    def access(self, dataset_id: DatasetId, grantee: Address, time: int) -> Snapshot[AccessItem]:
        """Return the facts that decide whether an account may use a dataset at a time, as of the index's block.

        Args:
            dataset_id: The dataset.
            grantee: The account.
            time: Unix seconds, UTC.
        """
        values = {"dataset_id": dataset_id, "grantee": grantee, "time": min(time, LAST)}
        with self._storage.read() as connection:
            as_of = as_of_dataset(connection, dataset_id)
            row = connection.execute(_ACCESS, values).one_or_none()
            withdrawn = connection.scalar(select(DATASETS.c.is_withdrawn).where(DATASETS.c.dataset_id == dataset_id))
        return Snapshot(AccessItem(None if row is None else _grant(row), bool(withdrawn)), as_of)


def _grant(row: Sequence[Any]) -> GrantItem:
    return GrantItem(place_of(row), *row[PLACE_COLUMNS:])


def _request(row: Sequence[Any]) -> RequestItem:
    topics, data, *is_granted = row[PLACE_COLUMNS:]
    event = stored_event(topics, data)
    if not isinstance(event, AccessRequested):
        raise TypeError(f"{type(event).__name__} is not a request")
    return RequestItem(place_of(row), event, *map(bool, is_granted))
