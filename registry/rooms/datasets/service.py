"""Read a dataset's record from a chain, without a gateway, an index or a database."""

from __future__ import annotations

from registry.base.errors import NotFound
from registry.base.primitives import DatasetId
from registry.chain.calls import call_view, view_call
from registry.chain.client import Chain, decoding
from registry.chain.history import NOT_A_FULL_HISTORY, BlockRef, logs_until
from registry.rooms.datasets.events import decode, filters
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import CONTRACT
from registry.rooms.datasets.records import Dataset, fold
from registry.rooms.deployment import Deployment


def read_dataset(chain: Chain, deployment: Deployment, dataset_id: DatasetId, until: BlockRef) -> Dataset:
    """Read a dataset's whole history up to a block, folded from the events that the node returns.

    Compare the record's head with `head_of` to see that the node withheld no event.

    Args:
        chain: The chain.
        deployment: The contracts.
        dataset_id: The dataset.
        until: The block; see `registry.chain.history.block_at`.

    Raises:
        NotFound: There is no such dataset at that block.
        ChainUnavailable: No usable answer came, the events are not a full history, or the chain left that block
            meanwhile.
        RpcError: The node refused.
    """
    contract = deployment.contracts[CONTRACT]
    logs = logs_until(chain, contract.address, filters(dataset_id), contract.block_number, until)
    dataset: Dataset | None = None
    with decoding(NOT_A_FULL_HISTORY):
        for log, at in logs:
            event = decode(log)
            if event is not None:
                dataset = fold(dataset, event, at)
    if dataset is None:
        raise NotFound(f"There is no dataset {dataset_id} up to block {until.number}.")
    return dataset


def head_of(chain: Chain, deployment: Deployment, dataset_id: DatasetId, at: BlockRef) -> Head:
    """Return a dataset's head at a block, as the node reports it; zero if there is no such dataset.

    Args:
        chain: The chain.
        deployment: The contracts.
        dataset_id: The dataset.
        at: The block.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused, for example because it no longer has that block's state.
    """
    return Head(call_view(chain, deployment.address_of(CONTRACT), view_call("headOf(uint256)", dataset_id), at.height))
