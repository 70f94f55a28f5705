"""The JSON of datasets."""

from __future__ import annotations

import orjson

from api import shapes
from api.shapes import Json
from registry.base.primitives import Bytes32
from registry.base.times import iso_time
from registry.ethereum.abi import text
from registry.index.pages import Page, Snapshot
from registry.index.position import block_of
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn
from registry.rooms.datasets.rows import ClaimItem, DatasetItem, HistoryItem, VersionItem
from registry.rooms.datasets.tables import unpacked


def dataset(snapshot: Snapshot[DatasetItem]) -> Json:
    """Return a dataset as it is now; its metadata is in the JSON byte for byte."""
    body = snapshot.value.body
    metadata = None if body is None else orjson.Fragment(body)
    return item(snapshot.value) | {"metadata": metadata} | shapes.as_of(snapshot.as_of)


def item(row: DatasetItem) -> Json:
    """Return a dataset as a row of a list."""
    return {
        "datasetId": shapes.hexed(row.dataset_id),
        "owner": shapes.address(row.owner),
        "firstOwner": shapes.address(row.first_owner),
        "version": row.version,
        "contentRoot": shapes.hexed(row.content_root),
        "metadataHash": shapes.hexed(row.metadata_hash),
        "uri": text(row.uri),
        "head": shapes.hexed(row.head),
        "status": status(row.is_withdrawn),
        "withdrawalReason": None if row.reason is None else text(row.reason),
        "name": row.name,
        "description": row.description,
        "sources": [
            {"datasetId": shapes.hexed(dataset_id), "version": version} for dataset_id, version in unpacked(row.sources)
        ],
        "files": row.files,
        "bytes": row.size,
        "registeredAt": iso_time(row.registered_at),
        "registeredBlock": block_of(row.position),
        "updatedAt": iso_time(row.updated_at),
        "updatedBlock": block_of(row.updated_position),
        "transactionHash": shapes.hexed(row.transaction_hash),
    }


def version(row: VersionItem) -> Json:
    """Return a version."""
    return {**_version(row.number, row.event), "name": row.name, "at": shapes.place(row.at)}


def step(row: HistoryItem) -> Json:
    """Return a step of a history."""
    return {**_step(row.event), "head": shapes.hexed(row.head), "at": shapes.place(row.at)}


def claims(sha256: Bytes32, snapshot: Snapshot[Page[ClaimItem]]) -> Json:
    """Return a page of the versions in which a hash occurs."""
    return {"sha256": shapes.hexed(sha256)} | shapes.page(snapshot, claim, "claims")


def claim(row: ClaimItem) -> Json:
    """Return a version in which a hash occurs."""
    return {
        "match": row.match,
        "path": row.path if row.match == "file" else None,
        "datasetId": shapes.hexed(row.dataset_id),
        "version": row.version,
        "claimant": shapes.address(row.claimant),
        "owner": shapes.address(row.owner),
        "status": status(row.is_withdrawn),
        "at": shapes.place(row.at),
    }


def status(is_withdrawn: bool) -> str:
    """Return `active` or `withdrawn`."""
    return "withdrawn" if is_withdrawn else "active"


def _version(number: int, event: Registered | Revised) -> Json:
    return {
        "version": number,
        "contentRoot": shapes.hexed(event.content_root),
        "metadataHash": shapes.hexed(event.metadata_hash),
        "uri": text(event.uri),
        "sources": [
            {"datasetId": shapes.hexed(source.dataset_id), "version": source.version} for source in event.sources
        ],
    }


def _step(event: DatasetEvent) -> Json:
    match event:
        case Registered():
            owner, salt = shapes.address(event.owner), shapes.hexed(event.salt)
            return {"kind": "registered", "owner": owner, "salt": salt, **_version(1, event)}
        case Revised():
            return {"kind": "revised", **_version(event.version, event)}
        case Transferred():
            previous_owner, owner = shapes.address(event.previous_owner), shapes.address(event.owner)
            return {"kind": "transferred", "from": previous_owner, "to": owner}
        case Withdrawn():
            return {"kind": "withdrawn", "reason": text(event.reason)}
