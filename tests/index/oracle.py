"""The expected index, from the chain's logs and the records' pure folds, without the index's code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.client import Chain
from registry.ethereum.logs import Log, Moment
from registry.index.check import check
from registry.index.state import read_cursor
from registry.rooms.access import events as access_events
from registry.rooms.access import records as access_records
from registry.rooms.access.records import Access
from registry.rooms.access.tables import GRANTS
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets import events as dataset_events
from registry.rooms.datasets import records as dataset_records
from registry.rooms.datasets.records import Dataset
from registry.rooms.datasets.tables import DATASETS, VERSIONS
from registry.rooms.deployment import Deployment
from registry.storage import Storage
from tests.index.activity import Activity

Fold = tuple[dict[DatasetId, Dataset], dict[tuple[DatasetId, Address], Access]]


def fold_chain(chain: Chain, deployment: Deployment) -> Fold:
    """Return the records of all logs of the canonical chain."""
    datasets: dict[DatasetId, Dataset] = {}
    accesses: dict[tuple[DatasetId, Address], Access] = {}
    both = [str(deployment.address_of("DatasetRegistry")), str(deployment.address_of("AccessGrants"))]
    for raw in chain.request("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest", "address": both}]):
        log, at = Log.from_rpc(raw), _moment(chain, raw)
        if log.address == deployment.address_of("DatasetRegistry"):
            event = dataset_events.decode(log)
            if event is not None:
                dataset = dataset_records.fold(datasets.get(event.dataset_id), event, at)
                if dataset is not None:
                    datasets[event.dataset_id] = dataset
        else:
            granted = access_events.decode(log)
            assert granted is not None
            key = granted.dataset_id, granted.grantee
            accesses[key] = access_records.fold(accesses.get(key), granted, at)
    return datasets, accesses


def require_fold(activity: Activity, storage: Storage) -> None:
    """R4, R5: the index is at the chain's head and equals the pure folds of the chain's logs."""
    head = activity.chain.request("eth_getBlockByNumber", ["latest", False])
    with storage.read() as connection:
        cursor = read_cursor(connection)
        rows = {row.dataset_id: row for row in connection.execute(select(DATASETS))}
        versions = connection.execute(select(VERSIONS).order_by(VERSIONS.c.position)).all()
        grants = connection.execute(select(GRANTS).order_by(GRANTS.c.position)).all()
    assert (cursor.height, str(cursor.block_hash)) == (int(head["number"], 16), head["hash"])
    datasets, accesses = fold_chain(activity.chain, activity.deployment)
    assert {
        dataset_id: (row.head, row.owner, row.version, row.content_root, row.is_withdrawn)
        for dataset_id, row in rows.items()
    } == {
        dataset_id: (one.head, one.owner, one.latest.number, one.latest.content_root, one.withdrawal is not None)
        for dataset_id, one in datasets.items()
    }
    assert [(row.dataset_id, row.number, row.content_root) for row in versions] == [
        (dataset_id, version.number, version.content_root)
        for _, dataset_id, version in sorted(
            (version.at, dataset_id, version) for dataset_id, one in datasets.items() for version in one.versions
        )
    ]
    assert [(row.dataset_id, row.grantee, row.rights, row.ended_at, row.is_revoked) for row in grants] == [
        (*pair, grant.rights, None if grant.ended is None else grant.ended.timestamp, grant.is_revoked)
        for _, pair, grant in sorted((grant.at, pair, grant) for pair, one in accesses.items() for grant in one.grants)
    ]
    assert check(activity.chain, storage, activity.deployment, ROOMS).is_equal


def _moment(chain: Chain, raw: dict[str, Any]) -> Moment:
    block = chain.request("eth_getBlockByHash", [raw["blockHash"], False])
    return Moment(
        int(raw["blockNumber"], 16),
        int(raw["logIndex"], 16),
        int(block["timestamp"], 16),
        Bytes32.parse(raw["blockHash"]),
        Bytes32.parse(raw["transactionHash"]),
    )
