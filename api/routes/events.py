"""Events, read by a cursor that the consumer keeps."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import shapes
from api.answers import Answer, AsOf, Place, Time
from api.deps import NodeDep, read
from api.heights import entry_watch_of
from api.problems import INVALID, documented, invalid
from api.reads import Limit
from api.shapes import Json
from api.strict import StrictRoute
from registry.base.errors import Unavailable
from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32
from registry.base.subject import Subject
from registry.base.times import iso_time
from registry.feed.entries import Batch, Entry, EntryKind, read_entries
from registry.feed.values import event_values
from registry.index.events import stored_log
from registry.index.pages import DEFAULT_LIMIT, EventPlace
from registry.index.state import Cursor, read_cursor
from registry.node import Node

MAX_WAIT: Final = 60
KindWord = Literal["event", "retraction", "due"]

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=StrictRoute)


class EventSubject(Answer):
    """The subject of an entry."""

    kind: str = Field(description="The kind of item.", examples=["dataset"])
    id: Bytes32


class EventEntry(Answer):
    """One entry: an event, a date that was reached, or the retraction of an earlier entry."""

    seq: int = Field(ge=1, description="Its number: ascending, without gaps.")
    kind: KindWord = Field(
        description="`event`: an event of the chain. `due`: a date was reached. `retraction`: an earlier entry is no"
        " longer valid."
    )
    retracts: int | None = Field(ge=1, description="Of a retraction: the number of the retracted entry.")
    name: str = Field(description="The name of the event, or of what is due.")
    subject: EventSubject
    account: Address | None = Field(description="A second account that it concerns, for example the grantee.")
    at: Place = Field(description="The position of the event; of a due entry, the event that set the date.")
    values: dict[str, Any] = Field(description="The values of the event as in Solidity; times are Unix seconds.")
    written_at: Time = Field(description="The time of writing, by the database's clock.")


class EventBatch(AsOf):
    """Entries after a cursor, ascending."""

    items: list[EventEntry]
    next: int = Field(ge=0, description="The `after` to continue with, even if there are no new entries.")
    has_more: bool = Field(description="Whether there are entries after `next` already.")


@router.get(
    "",
    summary="Events",
    operation_id="events",
    response_model=EventBatch,
    responses=documented(INVALID),
)
async def events(
    node: NodeDep,
    after: Annotated[
        int, Query(ge=0, lt=2**63, description="The `next` of the previous answer; 0 for the beginning.")
    ] = 0,
    limit: Limit = DEFAULT_LIMIT,
    subject: Annotated[
        str | None,
        Query(
            pattern="^[a-z]{1,32}:0x[0-9a-f]{64}$",
            description="Only entries about this subject: its kind and its id.",
            examples=["dataset:0x" + "5e" * 32],
        ),
    ] = None,
    kind: Annotated[KindWord | None, Query(description="Only entries of this kind.")] = None,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for a new entry.")] = 0,
) -> Response:
    """Return the entries after a cursor; with `wait`, as soon as there is one."""
    chosen = None if subject is None else _subject(subject)
    deadline = time.monotonic() + wait
    while True:
        document = await read(node, partial(_batch, node, after, limit, chosen, kind))
        remaining = deadline - time.monotonic()
        if document["items"] or document["hasMore"] or remaining <= 0 or node.is_stopping:
            return Response(orjson.dumps(document), media_type="application/json")
        after = document["next"]
        # Waiting requests use no threads: one task checks for all of them.
        with suppress(Unavailable):
            await entry_watch_of(node).reached(after + 1, remaining)


def _subject(text: str) -> Subject:
    kind, _, subject_id = text.partition(":")
    return Subject(kind, Bytes32.parse(subject_id))


def _batch(node: Node, after: int, limit: int, subject: Subject | None, kind: KindWord | None) -> Json:
    with node.storage.read() as connection:
        cursor = read_cursor(connection)
        batch = read_entries(
            connection,
            after,
            limit,
            subject_id=None if subject is None else subject.id,
            kind=None if kind is None else EntryKind[kind.upper()],
        )
    if after > batch.newest:
        raise invalid(
            "query.after",
            f"it is {after}, but the newest entry is {batch.newest}",
            hint="Use the `next` of an answer of this gateway. Another database has other numbers: begin there with 0.",
        )
    return _document(node, batch, cursor, None if subject is None else subject.kind)


def _document(node: Node, batch: Batch, cursor: Cursor, subject_kind: str | None) -> Json:
    items = [_item(node, entry) for entry in batch.entries]
    if subject_kind is not None:
        items = [item for item in items if item["subject"]["kind"] == subject_kind]
    return {"items": items, "next": batch.next, "hasMore": batch.next < batch.newest} | shapes.as_of(cursor)


def _item(node: Node, entry: Entry) -> Json:
    if entry.kind is not None and entry.topics is not None and entry.data is not None:
        event = node.rooms.stored_event(entry.kind, stored_log(entry.topics, entry.data))
        name, subject_kind, values = type(event).__name__, event.subject.kind, event_values(event)
    else:
        name, subject_kind, values = entry.name or "", entry.subject_kind or "", json.loads(entry.values or "{}")
    return {
        "seq": entry.seq,
        "kind": EntryKind(entry.entry).word,
        "retracts": entry.retracts,
        "name": name,
        "subject": {"kind": subject_kind, "id": shapes.hexed(entry.subject_id)},
        "account": None if entry.account == ZERO_ADDRESS else shapes.address(entry.account),
        "at": shapes.place(EventPlace(entry.position, entry.block_hash, entry.timestamp, entry.transaction_hash)),
        "values": values,
        "writtenAt": iso_time(entry.written_at),
    }
