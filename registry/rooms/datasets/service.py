"""A dataset's record, read from a chain itself: no gateway, no index, no database."""

from __future__ import annotations

from registry.base.errors import NotFound, Unavailable
from registry.base.primitives import DatasetId
from registry.chain.calls import call_view, view_call
from registry.chain.client import Chain
from registry.chain.history import BlockRef, logs_until
from registry.rooms.datasets.events import decode, filters
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import CONTRACT
from registry.rooms.datasets.records import Dataset, fold
from registry.rooms.deployment import Deployment


def read_dataset(chain: Chain, deployment: Deployment, dataset_id: DatasetId, until: BlockRef) -> Dataset:
    """A dataset's whole history up to a block, folded from the events that the node gives.

    That the node withheld none of them shows in `head_of`, which must equal the record's head.

    Args:
        chain: The chain.
        deployment: Where the contracts are.
        dataset_id: The dataset.
        until: The block; see `registry.chain.history.block_at`.

    Raises:
        NotFound: There is no such dataset at that block.
        InvalidInput: The events are not a full history.
        ChainUnavailable: No usable answer came, or the chain left that block meanwhile.
        RpcError: The node refused.
    """
    contract = deployment.contracts[CONTRACT]
    dataset: Dataset | None = None
    for log, at in logs_until(
        chain,
        contract.address,
        filters(dataset_id),
        contract.block_number,
        until,
    ):
        event = decode(log)
        if event is not None:
            dataset = fold(dataset, event, at)
    if dataset is None:
        raise NotFound(f"There is no dataset {dataset_id} up to block {until.number}.")
    return dataset


def head_of(chain: Chain, deployment: Deployment, dataset_id: DatasetId, at: BlockRef) -> Head:
    """The dataset's head in the contract's storage at a block, as the node tells it; zero if there is no such dataset.

    Raises:
        Unavailable: No usable answer came.
        RpcError: The node refused, for example because it no longer has that block's state.
    """
    answer = call_view(chain, deployment.address_of(CONTRACT), view_call("headOf(uint256)", dataset_id), at.height)
    if len(answer) != Head.LENGTH:
        raise Unavailable(
            f"At {deployment.address_of(CONTRACT)} there is no DatasetRegistry, or the node does not tell its state."
        )
    return Head(answer)
