"""Read a grantee's access to a dataset from a chain, without a gateway, an index or a database."""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.primitives import Address, DatasetId
from registry.chain.calls import call_view, view_call
from registry.chain.client import Chain, decoding
from registry.chain.history import NOT_A_FULL_HISTORY, BlockRef, logs_until
from registry.ethereum.abi import Reader, left_padded
from registry.rooms.access.events import decode, filters
from registry.rooms.access.messages import CONTRACT
from registry.rooms.access.records import Access, fold
from registry.rooms.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters that the next messages about a grantee and a dataset must name.

    Args:
        epoch: The number of grants and revocations so far.
        requests: The number of requests so far.
    """

    epoch: int
    requests: int


def read_access(
    chain: Chain, deployment: Deployment, dataset_id: DatasetId, grantee: Address, until: BlockRef
) -> Access:
    """Read the record of a grantee's access up to a block.

    Compare it with `counters_of` to see that the node withheld no event.

    Args:
        chain: The chain.
        deployment: The contracts.
        dataset_id: The dataset.
        grantee: The grantee.
        until: The block; see `registry.chain.history.block_at`.

    Raises:
        ChainUnavailable: No usable answer came, the events are not a full history, or the chain left that block
            meanwhile.
        RpcError: The node refused.
    """
    contract = deployment.contracts[CONTRACT]
    logs = logs_until(chain, contract.address, filters(dataset_id, grantee), contract.block_number, until)
    access = Access(dataset_id, grantee, 0, (), ())
    with decoding(NOT_A_FULL_HISTORY):
        for log, at in logs:
            event = decode(log)
            if event is not None:
                access = fold(access, event, at)
    return access


def counters_of(
    chain: Chain, deployment: Deployment, dataset_id: DatasetId, grantee: Address, at: BlockRef
) -> Counters:
    """Return the contract's counters for a grantee and a dataset at a block, as the node reports them.

    Args:
        chain: The chain.
        deployment: The contracts.
        dataset_id: The dataset.
        grantee: The grantee.
        at: The block.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused, for example because it no longer has that block's state.
    """
    call = view_call("countersOf(uint256,address)", dataset_id, left_padded(grantee))
    words = Reader(call_view(chain, deployment.address_of(CONTRACT), call, at.height, words=2))
    return Counters(int.from_bytes(words.word(0), "big"), int.from_bytes(words.word(1), "big"))
