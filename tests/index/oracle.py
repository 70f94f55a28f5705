"""What the index must say, by the chain's logs in one answer and the records' pure folds: none of the index's code."""

from __future__ import annotations

from typing import Any

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.client import Chain
from registry.ethereum.logs import Log, Moment
from registry.rooms.access import events as access_events
from registry.rooms.access import records as access_records
from registry.rooms.access.records import Access
from registry.rooms.datasets import events as dataset_events
from registry.rooms.datasets import records as dataset_records
from registry.rooms.datasets.records import Dataset
from registry.rooms.deployment import Deployment

Fold = tuple[dict[DatasetId, Dataset], dict[tuple[DatasetId, Address], Access]]


def fold_chain(chain: Chain, deployment: Deployment) -> Fold:
    """The records of all that the canonical chain logs now."""
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


def _moment(chain: Chain, raw: dict[str, Any]) -> Moment:
    block = chain.request("eth_getBlockByHash", [raw["blockHash"], False])
    return Moment(
        int(raw["blockNumber"], 16),
        int(raw["logIndex"], 16),
        int(block["timestamp"], 16),
        Bytes32.parse(raw["blockHash"]),
        Bytes32.parse(raw["transactionHash"]),
    )
