"""Our decoding by slicing reads exactly what web3.py and eth_abi read."""

from __future__ import annotations

import json
from typing import Any

from web3 import Web3

from registry.chain.web3 import connect
from registry.index.blocks import BlockReader
from registry.index.position import position_of
from registry.rooms.access.events import AccessEvent, AccessGranted, AccessRequested, AccessRevoked
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn
from registry.rooms.projection import IndexedEvent
from tests.index.activity import ARTIFACTS, Activity


def by_web3(w3: Web3, activity: Activity) -> dict[int, tuple[str, dict[str, Any]]]:
    """Every event of both contracts by its position, as web3.py decodes it; approvals and mints left out."""
    found: dict[int, tuple[str, dict[str, Any]]] = {}
    for name, address in (
        ("DatasetRegistry", activity.deployment.address_of("DatasetRegistry")),
        ("AccessGrants", activity.deployment.address_of("AccessGrants")),
    ):
        contract = w3.eth.contract(
            Web3.to_checksum_address(address), abi=json.loads((ARTIFACTS / f"{name}.json").read_text())["abi"]
        )
        for event in contract.events:  # type: ignore[attr-defined]
            for log in event.get_logs(from_block=0):
                if log.event.startswith("Approval") or (log.event == "Transfer" and int(log.args["from"], 16) == 0):
                    continue
                found[position_of(log.blockNumber, log.logIndex)] = log.event, dict(log.args)
    return found


def ours(entry: IndexedEvent) -> tuple[str, dict[str, Any]]:
    """The same, from our own decoding."""
    event = entry.event
    name, values = (
        of_access(event) if isinstance(event, AccessRequested | AccessGranted | AccessRevoked) else of_dataset(event)
    )
    return name, {("tokenId" if name == "Transfer" else "datasetId"): int(event.dataset_id)} | values


def of_dataset(event: DatasetEvent) -> tuple[str, dict[str, Any]]:
    """Return the name and the values of an event of a dataset, without the dataset's id."""
    match event:
        case Registered():
            return "Registered", {
                "owner": str(event.owner),
                "contentRoot": bytes(event.content_root),
                "metadataHash": bytes(event.metadata_hash),
                "salt": bytes(event.salt),
                "uri": event.uri.decode(),
                "sources": [(int(one.dataset_id), one.version) for one in event.sources],
            }
        case Revised():
            return "Revised", {
                "version": event.version,
                "contentRoot": bytes(event.content_root),
                "metadataHash": bytes(event.metadata_hash),
                "uri": event.uri.decode(),
                "sources": [(int(one.dataset_id), one.version) for one in event.sources],
            }
        case Transferred():
            return "Transfer", {"from": str(event.previous_owner), "to": str(event.owner)}
        case Withdrawn():
            return "Withdrawn", {"reason": event.reason.decode()}


def of_access(event: AccessEvent) -> tuple[str, dict[str, Any]]:
    """Return the name and the values of an event of access, without the dataset's id."""
    grantee = {"grantee": str(event.grantee)}
    match event:
        case AccessRequested():
            return "AccessRequested", grantee | {
                "rights": event.rights,
                "expiresAt": event.expires_at,
                "requests": event.requests,
                "purpose": event.purpose.decode(),
            }
        case AccessGranted():
            return "AccessGranted", grantee | {
                "rights": event.rights,
                "startsAt": event.starts_at,
                "expiresAt": event.expires_at,
                "termsHash": bytes(event.terms_hash),
                "epoch": event.epoch,
            }
        case AccessRevoked():
            return "AccessRevoked", grantee | {"epoch": event.epoch}


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """web3's values as tuples where it gives structs."""
    return {
        name: [(one["datasetId"], one["version"]) if hasattr(one, "keys") else tuple(one) for one in value]
        if name == "sources"
        else value
        for name, value in values.items()
    }


def test_every_event_reads_as_web3_reads_it(activity: Activity) -> None:
    for _ in range(40):
        activity.act(6)
        activity.mine()
    w3 = connect(activity.chain)
    reader = BlockReader(activity.chain, activity.deployment, ROOMS)
    block = reader.block(activity.deployment.block_number - 1)
    assert block is not None
    entries = reader.span(block.number, block.hash, activity.head_number()).events
    expected = {position: (name, plain(values)) for position, (name, values) in by_web3(w3, activity).items()}
    assert {entry.position: ours(entry) for entry in entries} == expected
    assert {name for name, _ in expected.values()} >= {
        "Registered",
        "Revised",
        "Transfer",
        "Withdrawn",
        "AccessRequested",
        "AccessGranted",
        "AccessRevoked",
    }
