"""The room of notices, as a node runs it and a gateway serves it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import orjson
from fastapi import APIRouter, Response
from fastapi import Path as PathField
from sqlalchemy import BigInteger, Column, Connection, MetaData, String, Table, delete, select

from api.bodies import Submission
from api.deps import NodeDep
from api.reads import MinBlock, reach
from api.rooms.room import GatewayRoom
from api.strict import StrictRoute
from api.writes import WRITE, MessageIntakeDep
from registry.artifacts import Artifact
from registry.base.primitives import Address, Bytes32
from registry.rooms.projection import IndexedEvent, Projection, Row
from registry.rooms.room import Ownership, Room
from registry.storage.bulk import insert_rows
from registry.storage.columns import Fixed
from scripts.compile_contracts import artifact, compile_folder
from tests.rooms.notices.events import Noticed
from tests.rooms.notices.messages import Notice
from tests.rooms.notices.protocol import PROTOCOL

TABLE = Table(
    "notices",
    MetaData(),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("notice_id", Fixed(Bytes32), nullable=False, unique=True),
    Column("author", Fixed(Address), nullable=False),
    Column("text", String(256), nullable=False),
)
COLUMNS = ("position", "notice_id", "author", "text")


def row(indexed: IndexedEvent) -> Row:
    event: Noticed = indexed.event
    return indexed.position, event.notice_id, event.author, event.text.decode(errors="backslashreplace")


def apply(connection: Connection, events: Sequence[IndexedEvent]) -> list[None]:
    insert_rows(connection, TABLE, COLUMNS, [row(event) for event in events])
    return [None] * len(events)


def rewind(connection: Connection, limit: int, notice_ids: Sequence[Bytes32]) -> None:
    connection.execute(delete(TABLE).where(TABLE.c.position >= limit))


class NoticeFold:
    """The rows that the table must hold."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def add(self, event: IndexedEvent) -> None:
        """Add one more event."""
        self._rows.append(row(event))

    def rows(self) -> Iterator[tuple[Table, Iterable[Row]]]:
        """Yield the rows of the table."""
        yield TABLE, self._rows


@cache
def compiled(name: str) -> Artifact:
    return Artifact.from_json(artifact(name, compile_folder(Path(__file__).parent)[name]))


ROOM = Room(
    PROTOCOL,
    projection=Projection(kinds={Noticed: 1001}, tables={TABLE: COLUMNS}, apply=apply, rewind=rewind, fold=NoticeFold),
    ownership=Ownership(
        "notice",
        owner_of=lambda chain, deployment, notice_id: None,
        owner_before=lambda chain, deployment, notice_id, moment: None,
        has_owned=lambda storage, notice_id, account: False,
        owns_since=lambda storage, account, moment: False,
    ),
    artifact=compiled,
)

router = APIRouter(route_class=StrictRoute)


@router.post(Notice.PATH, operation_id="postNotice", **WRITE)
async def post(body: Submission[Notice], intake: MessageIntakeDep) -> Response:
    """Take a signed notice."""
    return await intake.take(body)


@router.get(f"{Notice.PATH}/{{notice_id}}", operation_id="notice")
async def notice(node: NodeDep, notice_id: Annotated[Bytes32, PathField()], min_block: MinBlock = None) -> Response:
    """Return a notice."""
    await reach(node, min_block)
    with node.storage.read() as connection:
        text = connection.scalar(select(TABLE.c.text).where(TABLE.c.notice_id == notice_id))
    return Response(orjson.dumps({"text": text}), media_type="application/json")


GATEWAY_ROOM = GatewayRoom("notices", (router,), (Notice,))
