"""How what the index knows is written in JSON: hex for bytes, EIP-55 for addresses, ISO 8601 in UTC for times."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from registry.base.primitives import Address
from registry.base.times import iso_time
from registry.ethereum.abi import text
from registry.index.apply import unpacked
from registry.index.position import block_of, log_index_of
from registry.rooms.access.records import rights_names
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn
from registry.rooms.datasets.messages import Source

Json = dict[str, Any]


def encoded(value: Json) -> bytes:
    """The JSON text. Stored documents stand in it byte for byte."""
    return orjson.dumps(value)


def hexed(value: bytes) -> str:
    """Bytes as 0x-prefixed lower-case hex."""
    return "0x" + value.hex()


@lru_cache(maxsize=65_536)
def address(value: bytes) -> str:
    """An address with its EIP-55 checksum."""
    return str(Address(value))


def time(seconds: int) -> str:
    """Unix seconds as ISO 8601 in UTC. Years of five digits have no such form: they become the last second of 9999."""
    return iso_time(seconds)


def time_or_null(seconds: int | None) -> str | None:
    """The same, null staying null."""
    return None if seconds is None else time(seconds)


def at(position: int, block_hash: bytes, timestamp: int, transaction_hash: bytes) -> Json:
    """When and where on the chain."""
    return {
        "blockNumber": block_of(position),
        "blockHash": hexed(block_hash),
        "time": time(timestamp),
        "transactionHash": hexed(transaction_hash),
        "logIndex": log_index_of(position),
    }


def packed_sources(sources: bytes) -> list[Json]:
    """The sources of a row of `datasets`."""
    return [{"datasetId": hexed(dataset_id), "version": version} for dataset_id, version in unpacked(sources)]


def event_sources(sources: tuple[Source, ...]) -> list[Json]:
    """The sources of an event."""
    return [{"datasetId": hexed(source.dataset_id), "version": source.version} for source in sources]


def version(number: int, event: Registered | Revised) -> Json:
    """One version, from the event that made it."""
    return {
        "version": number,
        "contentRoot": hexed(event.content_root),
        "metadataHash": hexed(event.metadata_hash),
        "uri": text(event.uri),
        "sources": event_sources(event.sources),
    }


def step(event: DatasetEvent) -> Json:
    """One step of a dataset's history."""
    match event:
        case Registered():
            return {
                "kind": "registered",
                "owner": address(event.owner),
                "salt": hexed(event.salt),
                **version(1, event),
            }
        case Revised():
            return {"kind": "revised", **version(event.version, event)}
        case Transferred():
            return {"kind": "transferred", "from": address(event.previous_owner), "to": address(event.owner)}
        case Withdrawn():
            return {"kind": "withdrawn", "reason": text(event.reason)}


def grant_state(now: int, starts_at: int, expires_at: int, ended_at: int | None, *, is_revoked: bool) -> str:
    """What has become of a grant by a time. An end that came after its expiry changed nothing."""
    if ended_at is not None and ended_at < expires_at:
        return "revoked" if is_revoked else "replaced"
    if now >= expires_at:
        return "expired"
    return "scheduled" if now < starts_at else "active"


def grant(
    *,
    grantee: bytes,
    rights: int,
    starts_at: int,
    expires_at: int,
    ended_at: int | None,
    is_revoked: bool,
    terms_hash: bytes,
    epoch: int,
    place: Json,
    now: int,
) -> Json:
    """One grant, as it stands at the time `now` (Unix seconds)."""
    return {
        "grantee": address(grantee),
        "rights": list(rights_names(rights)),
        "rightsMask": rights,
        "startsAt": time(starts_at),
        "expiresAt": time(expires_at),
        "endsAt": time(expires_at if ended_at is None else min(expires_at, ended_at)),
        "endedAt": time_or_null(ended_at),
        "state": grant_state(now, starts_at, expires_at, ended_at, is_revoked=is_revoked),
        "termsHash": hexed(terms_hash),
        "epoch": epoch,
        "at": place,
    }
