"""What the index can be asked. Each answer is one state of the database, and says which block that state is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    Connection,
    Row,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy import text as text_clause

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.documents.tables import MANIFEST_FILES, MANIFESTS, METADATA_DOCUMENTS
from registry.ethereum.abi import text
from registry.index import shapes
from registry.index.events import Kind, stored_access_event, stored_dataset_event
from registry.index.names import name_key, words_sought
from registry.index.pages import DEFAULT_LIMIT, FIRST, LAST, MAX_LIMIT, Listing
from registry.index.position import block_of
from registry.index.shapes import Json
from registry.index.state import Cursor, read_cursor
from registry.index.tables import DATASETS, EVENTS, GRANTS, SOURCES, VERSIONS, WORDS
from registry.rooms.access.events import AccessRequested
from registry.rooms.access.records import AccessState, rights_names, state_of
from registry.rooms.datasets.events import Registered, Revised
from registry.rooms.datasets.publication_tables import PUBLIC_MANIFESTS, PUBLIC_METADATA, PUBLICATIONS, is_public
from registry.storage import Storage

MAX_CANDIDATES: Final = 10
MIN_PREFIX: Final = 8
COUNTED_WORDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """Which datasets are wanted; each that is given must be met.

    Args:
        owner: The present owner.
        name: The whole name, without regard to case and accents.
        words: Words of the name, all of which must be in it.
        sha256: The content root or metadata hash of a version, or the SHA-256 of a file in one whose manifest is here.
        is_withdrawn: Whether it is withdrawn.
        source: A dataset of which any version derives.
    """

    owner: Address | None = None
    name: str | None = None
    words: str | None = None
    sha256: Bytes32 | None = None
    is_withdrawn: bool | None = None
    source: DatasetId | None = None


AnyRow = Row[*tuple[Any, ...]]

_ROW: Final = (
    DATASETS.c.position,
    DATASETS.c.dataset_id,
    DATASETS.c.owner,
    DATASETS.c.first_owner,
    DATASETS.c.version,
    DATASETS.c.content_root,
    DATASETS.c.metadata_hash,
    DATASETS.c.uri,
    DATASETS.c.head,
    DATASETS.c.is_withdrawn,
    DATASETS.c.reason,
    DATASETS.c.sources,
    DATASETS.c.registered_at,
    DATASETS.c.updated_position,
    DATASETS.c.updated_at,
    DATASETS.c.transaction_hash,
    METADATA_DOCUMENTS.c.name,
    METADATA_DOCUMENTS.c.description,
    MANIFESTS.c.files,
    MANIFESTS.c.bytes,
)
_WITH_DOCUMENTS: Final = (
    DATASETS.outerjoin(
        PUBLIC_METADATA,
        is_public(PUBLIC_METADATA, DATASETS.c.dataset_id, DATASETS.c.version, DATASETS.c.metadata_hash),
    )
    .outerjoin(METADATA_DOCUMENTS, METADATA_DOCUMENTS.c.metadata_hash == PUBLIC_METADATA.c.document)
    .outerjoin(
        PUBLIC_MANIFESTS,
        is_public(PUBLIC_MANIFESTS, DATASETS.c.dataset_id, DATASETS.c.version, DATASETS.c.content_root),
    )
    .outerjoin(MANIFESTS, MANIFESTS.c.content_root == PUBLIC_MANIFESTS.c.document)
)
ONE: Final = (
    select(*_ROW, METADATA_DOCUMENTS.c.body)
    .select_from(_WITH_DOCUMENTS)
    .where(DATASETS.c.dataset_id == bindparam("dataset_id"))
)
MANY: Final = (
    select(*_ROW)
    .select_from(_WITH_DOCUMENTS)
    .where(DATASETS.c.position < bindparam("before"))
    .order_by(DATASETS.c.position.desc())
    .limit(bindparam("count"))
)
_PLACE: Final = (EVENTS.c.position, EVENTS.c.block_hash, EVENTS.c.timestamp, EVENTS.c.transaction_hash)
_HISTORY: Final = (
    select(*_PLACE, EVENTS.c.head, EVENTS.c.topics, EVENTS.c.data)
    .where(
        EVENTS.c.dataset_id == bindparam("dataset_id"),
        EVENTS.c.account == ZERO_ADDRESS,
        EVENTS.c.position > bindparam("after"),
    )
    .order_by(EVENTS.c.position)
    .limit(bindparam("count"))
)
_VERSIONS: Final = (
    select(*_PLACE, VERSIONS.c.number, EVENTS.c.topics, EVENTS.c.data, METADATA_DOCUMENTS.c.name)
    .select_from(
        VERSIONS.join(EVENTS, EVENTS.c.position == VERSIONS.c.position)
        .outerjoin(
            PUBLIC_METADATA,
            is_public(PUBLIC_METADATA, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.metadata_hash),
        )
        .outerjoin(METADATA_DOCUMENTS, METADATA_DOCUMENTS.c.metadata_hash == PUBLIC_METADATA.c.document)
    )
    .where(VERSIONS.c.dataset_id == bindparam("dataset_id"), VERSIONS.c.number > bindparam("after"))
    .order_by(VERSIONS.c.number)
    .limit(bindparam("count"))
)
_GRANTS: Final = (
    select(
        *_PLACE,
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
_REQUESTS: Final = (
    select(
        *_PLACE,
        EVENTS.c.account,
        EVENTS.c.topics,
        EVENTS.c.data,
        exists()
        .where(
            GRANTS.c.dataset_id == EVENTS.c.dataset_id,
            GRANTS.c.grantee == EVENTS.c.account,
            GRANTS.c.position > EVENTS.c.position,
        )
        .label("granted"),
    )
    .where(
        EVENTS.c.dataset_id == bindparam("dataset_id"),
        EVENTS.c.kind == int(Kind.REQUESTED),
        EVENTS.c.position < bindparam("before"),
    )
    .order_by(EVENTS.c.position.desc())
    .limit(bindparam("count"))
)
_WAS_GIVEN: Final = EVENTS.c.timestamp <= bindparam("time")
_ACCESS: Final = (
    # The grant that decides about a time: the latest that was given by then, else the first.
    _GRANTS.where(GRANTS.c.grantee == bindparam("grantee"))
    .order_by(case((_WAS_GIVEN, 0), else_=1), case((_WAS_GIVEN, -GRANTS.c.epoch), else_=GRANTS.c.epoch))
    .limit(1)
)


_COUNT_WORD: Final = select(func.count()).select_from(
    select(WORDS.c.position).where(WORDS.c.word == bindparam("word")).limit(COUNTED_WORDS).subquery()
)


_MANIFEST_IS_PUBLIC: Final = is_public(
    PUBLIC_MANIFESTS, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.content_root
)
_PLAN_BY_VALUES: Final = text_clause("SET LOCAL plan_cache_mode = force_custom_plan")


class Queries:
    """Reads the index.

    Every method raises NotIndexed before the index has begun, and StorageUnavailable if the database cannot be read.
    Pages are continued by the `cursor` that the page before gave as `next`.

    Args:
        storage: The database.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def cursor(self) -> Cursor:
        """Where the index stands."""
        with self._storage.read() as connection:
            return read_cursor(connection)

    def now(self, clock: float) -> int:
        """Return the present, Unix seconds, UTC: a clock's time, or the index's block's where that is later.

        Terms begin and end by the blocks' time, which may be ahead of this machine's clock. By the clock alone, whoever
        waited for their grant would be told that it has not begun.
        """
        return max(int(clock), self.cursor().block_time)

    def dataset(self, dataset_id: DatasetId) -> Json:
        """One dataset as it is now.

        Raises:
            NotFound: There is none.
        """
        with self._storage.read() as connection:
            as_of = standing(read_cursor(connection))
            row = connection.execute(ONE, {"dataset_id": dataset_id}).one_or_none()
        if row is None:
            raise unknown(dataset_id)
        shaped = dataset_json(row)
        shaped["metadata"] = None if row.body is None else orjson.Fragment(row.body)
        return shaped | as_of

    def datasets(
        self, wanted: DatasetFilter = DatasetFilter(), limit: int = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Json:
        """Datasets, the newest registration first, without their metadata.

        Raises:
            InvalidInput: The cursor is none of ours, or the words hold no word.
        """
        before = Listing.DATASETS.place(cursor, LAST)
        words = [] if wanted.words is None else words_sought(wanted.words)
        if wanted.words is not None and not words:
            raise InvalidInput("There is no word in what is sought.", hint="Give one or more words of a name.")
        with self._storage.read() as connection:
            as_of = standing(read_cursor(connection))
            if words:
                _plan_by_values(connection)
            statement, values = _filtered(wanted, _rarest_first(connection, words))
            rows = connection.execute(statement, {**values, "before": before, "count": limit + 1}).all()
        return Listing.DATASETS.page([dataset_json(row) for row in rows], [row.position for row in rows], limit) | as_of

    def resolve(self, prefix: str) -> DatasetId:
        """The dataset whose id begins so.

        Args:
            prefix: At least eight hex digits, with or without 0x.

        Raises:
            InvalidInput: It is not that.
            NotFound: There is none.
            Conflict: There are several; the hint lists some.
        """
        digits = prefix.removeprefix("0x").lower()
        if not MIN_PREFIX <= len(digits) <= 2 * DatasetId.LENGTH or set(digits) - set("0123456789abcdef"):
            raise InvalidInput(
                f"A dataset id has {2 * DatasetId.LENGTH} hex digits, of which the first {MIN_PREFIX} or more will do; "
                f"this is neither: {prefix[:80]!r}."
            )
        lowest, highest = (DatasetId(bytes.fromhex(digits.ljust(2 * DatasetId.LENGTH, end))) for end in "0f")
        if lowest == highest:
            return lowest
        with self._storage.read() as connection:
            found: list[DatasetId] = list(
                connection.scalars(
                    select(DATASETS.c.dataset_id)
                    .where(DATASETS.c.dataset_id.between(lowest, highest))
                    .order_by(DATASETS.c.dataset_id)
                    .limit(MAX_CANDIDATES)
                )
            )
        if not found:
            raise NotFound(f"No dataset's id begins with 0x{digits}.")
        if len(found) > 1:
            raise Conflict(
                f"Several datasets' ids begin with 0x{digits}.", hint=f"Give more digits: {', '.join(map(str, found))}"
            )
        return found[0]

    def versions(self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        """The versions of a dataset, the first first.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: The cursor is none of ours.
        """
        with self._storage.read() as connection:
            as_of = _as_of_dataset(connection, dataset_id)
            rows = connection.execute(_VERSIONS, _after(Listing.VERSIONS, dataset_id, limit, cursor)).all()
        items = []
        for row in rows:
            event = stored_dataset_event(row.topics, row.data)
            if not isinstance(event, Registered | Revised):
                raise TypeError(f"{type(event).__name__} makes no version")
            items.append({**shapes.version(row.number, event), "name": row.name, "at": _at(row)})
        return Listing.VERSIONS.page(items, [row.number for row in rows], limit) | as_of

    def version_hashes(self, dataset_id: DatasetId, version: int) -> tuple[Bytes32, Bytes32]:
        """Return the content root and the metadata hash of a version.

        Raises:
            NotFound: There is no such version, as far as the index knows.
        """
        of_version = (VERSIONS.c.dataset_id == dataset_id, VERSIONS.c.number == version)
        with self._storage.read() as connection:
            found = connection.execute(select(VERSIONS.c.content_root, VERSIONS.c.metadata_hash).where(*of_version))
            row = found.one_or_none()
        if row is None:
            raise NotFound(
                f"The dataset {dataset_id} has no version {version} here.",
                hint="If it has just been registered, wait for its receipt.",
            )
        return row.content_root, row.metadata_hash

    def is_public(self, document: Bytes32) -> bool:
        """Return whether some version on the chain shows a document: its manifest or its metadata."""
        metadata = is_public(PUBLICATIONS, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.metadata_hash)
        manifest = is_public(PUBLICATIONS, VERSIONS.c.dataset_id, VERSIONS.c.number, VERSIONS.c.content_root)
        shown = select(VERSIONS.c.position).join(PUBLICATIONS, metadata | manifest)
        with self._storage.read() as connection:
            return bool(connection.scalar(select(exists(shown.where(PUBLICATIONS.c.document == document)))))

    def history(self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        """All that changed a dataset, the first first, each step with the head after it.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: The cursor is none of ours.
        """
        with self._storage.read() as connection:
            as_of = _as_of_dataset(connection, dataset_id)
            rows = connection.execute(_HISTORY, _after(Listing.HISTORY, dataset_id, limit, cursor)).all()
        items = [
            {
                **shapes.step(stored_dataset_event(row.topics, row.data)),
                "head": shapes.hexed(row.head),
                "at": _at(row),
            }
            for row in rows
        ]
        return Listing.HISTORY.page(items, [row.position for row in rows], limit) | as_of

    def grants(
        self,
        dataset_id: DatasetId,
        now: int,
        grantee: Address | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Json:
        """The grants of a dataset, the newest first.

        Args:
            dataset_id: The dataset.
            now: The time for which their states are told, Unix seconds.
            grantee: Only this one's.
            limit: How many.
            cursor: Where the page before ended.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: The cursor is none of ours.
        """
        before = Listing.GRANTS.place(cursor, LAST)
        statement = _GRANTS.where(GRANTS.c.position < before).order_by(GRANTS.c.position.desc()).limit(limit + 1)
        if grantee is not None:
            statement = statement.where(GRANTS.c.grantee == grantee)
        with self._storage.read() as connection:
            as_of = _as_of_dataset(connection, dataset_id)
            rows = connection.execute(statement, {"dataset_id": dataset_id}).all()
        return Listing.GRANTS.page([_grant(row, now) for row in rows], [row.position for row in rows], limit) | as_of

    def access_requests(self, dataset_id: DatasetId, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        """Who asked for access to a dataset, the newest first, and whether a grant to them followed.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: The cursor is none of ours.
        """
        before = Listing.REQUESTS.place(cursor, LAST)
        with self._storage.read() as connection:
            as_of = _as_of_dataset(connection, dataset_id)
            rows = connection.execute(_REQUESTS, {"dataset_id": dataset_id, "before": before, "count": limit + 1}).all()
        items = [
            {"grantee": shapes.address(row.account), **_request(row), "granted": bool(row.granted)} for row in rows
        ]
        return Listing.REQUESTS.page(items, [row.position for row in rows], limit) | as_of

    def grantee(self, dataset_id: DatasetId, grantee: Address, now: int) -> Json:
        """What the next message about one grantee must name, and the latest grants and requests.

        Raises:
            NotFound: There is no such dataset.
        """
        of_pair = (EVENTS.c.dataset_id == dataset_id, EVENTS.c.account == grantee)
        requested = EVENTS.c.kind == Kind.REQUESTED
        with self._storage.read() as connection:
            as_of = _as_of_dataset(connection, dataset_id)
            total = connection.scalar(select(func.count()).where(*of_pair)) or 0
            requests = connection.scalar(select(func.count()).where(*of_pair, requested)) or 0
            grants = connection.execute(
                _GRANTS.where(GRANTS.c.grantee == grantee).order_by(GRANTS.c.epoch.desc()).limit(MAX_LIMIT),
                {"dataset_id": dataset_id},
            ).all()
            asked = connection.execute(
                select(*_PLACE, EVENTS.c.topics, EVENTS.c.data)
                .where(*of_pair, requested)
                .order_by(EVENTS.c.position.desc())
                .limit(MAX_LIMIT)
            ).all()
        return {
            "epoch": total - requests,
            "requests": requests,
            "grants": [_grant(row, now) for row in grants],
            "accessRequests": [_request(row) for row in asked],
        } | as_of

    def access(self, dataset_id: DatasetId, grantee: Address, time: int) -> Json:
        """Whether somebody may use a dataset at a time, by all that is known as of the index's block.

        Args:
            dataset_id: The dataset.
            grantee: Who.
            time: Unix seconds, UTC.

        Raises:
            NotFound: There is no such dataset.
        """
        with self._storage.read() as connection:
            as_of = _as_of_dataset(connection, dataset_id)
            row = connection.execute(
                _ACCESS, {"dataset_id": dataset_id, "grantee": grantee, "time": min(time, LAST)}
            ).one_or_none()
            is_withdrawn = connection.scalar(select(DATASETS.c.is_withdrawn).where(DATASETS.c.dataset_id == dataset_id))
        return _access(row, time) | {"datasetStatus": _status(bool(is_withdrawn))} | as_of

    def claims(self, sha256: Bytes32, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Json:
        """Who registered something with this hash, in the order of the chain.

        Args:
            sha256: A content root, a metadata hash, or the SHA-256 of a file in a manifest that is kept here.
            limit: How many.
            cursor: Where the page before ended.

        Raises:
            InvalidInput: The cursor is none of ours.
        """
        after = Listing.CLAIMS.place(cursor, FIRST)
        found = _matches(sha256)
        statement = (
            select(
                *_PLACE,
                found.c.match,
                found.c.path,
                VERSIONS.c.dataset_id,
                VERSIONS.c.number,
                VERSIONS.c.claimant,
                DATASETS.c.owner,
                DATASETS.c.is_withdrawn,
            )
            .select_from(
                found.join(VERSIONS, VERSIONS.c.position == found.c.position)
                .join(EVENTS, EVENTS.c.position == found.c.position)
                .join(DATASETS, DATASETS.c.dataset_id == VERSIONS.c.dataset_id)
            )
            .where(found.c.position > after)
            .order_by(found.c.position)
            .limit(limit + 1)
        )
        with self._storage.read() as connection:
            as_of = standing(read_cursor(connection))
            rows = connection.execute(statement).all()
        items = [
            {
                "match": row.match,
                "path": row.path if row.match == "file" else None,
                "datasetId": shapes.hexed(row.dataset_id),
                "version": row.number,
                "claimant": shapes.address(row.claimant),
                "owner": shapes.address(row.owner),
                "status": _status(row.is_withdrawn),
                "at": _at(row),
            }
            for row in rows
        ]
        page = Listing.CLAIMS.page(items, [row.position for row in rows], limit)
        return {"sha256": shapes.hexed(sha256), "claims": page["items"], "next": page["next"]} | as_of


def _matches(sha256: Bytes32) -> Subquery:
    """The versions in which a hash occurs: their positions, as what it occurs there, and as which file."""
    files = (
        select(MANIFEST_FILES.c.content_root, func.min(MANIFEST_FILES.c.path).label("path"))
        .where(MANIFEST_FILES.c.sha256 == sha256)
        .group_by(MANIFEST_FILES.c.content_root)
        .subquery()
    )
    no_path = literal(None, Text).label("path")
    every = union_all(
        select(VERSIONS.c.position, literal("root").label("match"), no_path).where(VERSIONS.c.content_root == sha256),
        select(VERSIONS.c.position, literal("metadata").label("match"), no_path).where(
            VERSIONS.c.metadata_hash == sha256,
            VERSIONS.c.metadata_hash != ZERO_BYTES32,  # Zero stands for no metadata: it is nobody's.
        ),
        select(VERSIONS.c.position, literal("file").label("match"), files.c.path)
        .join(files, files.c.content_root == VERSIONS.c.content_root)
        .join(PUBLIC_MANIFESTS, _MANIFEST_IS_PUBLIC),
    ).subquery()
    # A hash may occur twice in one version; "root" goes before "metadata" before "file".
    return (
        select(every.c.position, func.max(every.c.match).label("match"), func.max(every.c.path).label("path"))
        .group_by(every.c.position)
        .subquery()
    )


def _plan_by_values(connection: Connection) -> None:
    """Makes PostgreSQL plan each statement of this transaction for its values.

    The plan that it would keep for all values takes every word for a rare one: most are, but not those that are sought.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_PLAN_BY_VALUES)


def _rarest_first(connection: Connection, words: list[str]) -> list[str]:
    """The words, those in the fewest names first: the others need be looked up for their datasets only."""
    if len(words) < 2:
        return words
    counts = {word: connection.scalar(_COUNT_WORD, {"word": word}) or 0 for word in words}
    return sorted(words, key=counts.__getitem__)


def _filtered(wanted: DatasetFilter, rarest_first: list[str]) -> tuple[Select[Any], dict[str, object]]:
    """The statement for a filter. It depends on which fields are given only, so that it is compiled once."""
    statement, values = MANY, dict[str, object]()
    if wanted.owner is not None:
        statement = statement.where(DATASETS.c.owner == bindparam("owner"))
        values["owner"] = wanted.owner
    if wanted.name is not None:
        statement = statement.where(DATASETS.c.name_key == bindparam("name_key"))
        values["name_key"] = name_key(wanted.name)
    if wanted.is_withdrawn is not None:
        statement = statement.where(DATASETS.c.is_withdrawn == bindparam("is_withdrawn"))
        values["is_withdrawn"] = wanted.is_withdrawn
    if wanted.source is not None:
        derived = select(SOURCES.c.dataset_id).where(SOURCES.c.source_id == bindparam("source"))
        statement = statement.where(DATASETS.c.dataset_id.in_(derived))
        values["source"] = wanted.source
    if wanted.sha256 is not None:
        in_files = select(MANIFEST_FILES.c.content_root).where(MANIFEST_FILES.c.sha256 == bindparam("sha256"))
        found = union(
            select(VERSIONS.c.dataset_id).where(VERSIONS.c.content_root == bindparam("sha256")),
            select(VERSIONS.c.dataset_id).where(
                VERSIONS.c.metadata_hash == bindparam("sha256"), VERSIONS.c.metadata_hash != ZERO_BYTES32
            ),
            select(VERSIONS.c.dataset_id)
            .join(PUBLIC_MANIFESTS, _MANIFEST_IS_PUBLIC)
            .where(VERSIONS.c.content_root.in_(in_files)),
        )
        statement = statement.where(DATASETS.c.dataset_id.in_(found))
        values["sha256"] = wanted.sha256
    if rarest_first:
        first = WORDS.alias()
        statement = statement.join(first, first.c.position == DATASETS.c.position).where(
            first.c.word == bindparam("word_0"), first.c.position < bindparam("before")
        )
        for number in range(1, len(rarest_first)):
            other = WORDS.alias()
            statement = statement.where(
                exists().where(other.c.word == bindparam(f"word_{number}"), other.c.position == first.c.position)
            )
        statement = statement.order_by(None).order_by(first.c.position.desc())
        values |= {f"word_{number}": word for number, word in enumerate(rarest_first)}
    return statement, values


def dataset_json(row: AnyRow) -> Json:
    return {
        "datasetId": shapes.hexed(row.dataset_id),
        "owner": shapes.address(row.owner),
        "firstOwner": shapes.address(row.first_owner),
        "version": row.version,
        "contentRoot": shapes.hexed(row.content_root),
        "metadataHash": shapes.hexed(row.metadata_hash),
        "uri": text(row.uri),
        "head": shapes.hexed(row.head),
        "status": _status(row.is_withdrawn),
        "withdrawalReason": None if row.reason is None else text(row.reason),
        "name": row.name,
        "description": row.description,
        "sources": shapes.packed_sources(row.sources),
        "files": row.files,
        "bytes": row.bytes,
        "registeredAt": shapes.time(row.registered_at),
        "registeredBlock": block_of(row.position),
        "updatedAt": shapes.time(row.updated_at),
        "updatedBlock": block_of(row.updated_position),
        "transactionHash": shapes.hexed(row.transaction_hash),
    }


def _grant(row: AnyRow, now: int) -> Json:
    return shapes.grant(
        grantee=row.grantee,
        rights=row.rights,
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        is_revoked=row.is_revoked,
        terms_hash=row.terms_hash,
        epoch=row.epoch,
        place=_at(row),
        now=now,
    )


def _access(row: AnyRow | None, time: int) -> Json:
    """Whether the grant that decides about a time allows use then, why or why not, and its term."""
    if row is None:
        state, term = AccessState.NEVER_GRANTED, None
    else:
        revoked_at = row.ended_at if row.is_revoked else None
        state = state_of(time, row.starts_at, row.expires_at, revoked_at)
        term = {
            "rights": list(rights_names(row.rights)),
            "startsAt": shapes.time(row.starts_at),
            "expiresAt": shapes.time(row.expires_at),
            "endsAt": shapes.time(row.expires_at if row.ended_at is None else min(row.expires_at, row.ended_at)),
        }
    allowed = term if state is AccessState.ACTIVE else None
    return {
        "allowed": allowed is not None,
        "reason": str(state),
        "rights": allowed["rights"] if allowed else [],
        "startsAt": allowed["startsAt"] if allowed else None,
        "expiresAt": allowed["endsAt"] if allowed else None,
        "term": term,
    }


def _request(row: AnyRow) -> Json:
    event = stored_access_event(row.topics, row.data)
    if not isinstance(event, AccessRequested):
        raise TypeError(f"{type(event).__name__} is no request")
    return {
        "rights": list(rights_names(event.rights)),
        "rightsMask": event.rights,
        "expiresAt": shapes.time(event.expires_at),
        "purpose": text(event.purpose),
        "at": _at(row),
    }


def _status(is_withdrawn: bool) -> str:
    return "withdrawn" if is_withdrawn else "active"


def _at(row: AnyRow) -> Json:
    return shapes.at(row.position, row.block_hash, row.timestamp, row.transaction_hash)


def standing(cursor: Cursor) -> Json:
    return {
        "asOfBlock": cursor.height,
        "asOfBlockHash": shapes.hexed(cursor.block_hash),
        "finalBlock": cursor.final_height,
    }


def _as_of_dataset(connection: Connection, dataset_id: DatasetId) -> Json:
    as_of = standing(read_cursor(connection))
    if connection.scalar(select(DATASETS.c.version).where(DATASETS.c.dataset_id == dataset_id)) is None:
        raise unknown(dataset_id)
    return as_of


def unknown(dataset_id: DatasetId) -> NotFound:
    return NotFound(
        f"There is no dataset {dataset_id} here.", hint="If it has just been registered, wait for its receipt."
    )


def _after(listing: Listing, dataset_id: DatasetId, limit: int, cursor: str | None) -> dict[str, object]:
    return {
        "dataset_id": dataset_id,
        "after": listing.place(cursor, FIRST),
        "count": limit + 1,
    }
