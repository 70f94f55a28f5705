"""Determine a dataset's current and former owners: from the contract, its logs, and the index."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from registry.base.errors import NotFound
from registry.base.primitives import ZERO_ADDRESS, Address, Bytes32, DatasetId
from registry.chain.calls import call_view, view_call
from registry.chain.client import Chain, ChainUnavailable
from registry.chain.history import BlockRef
from registry.ethereum.abi import WORD, left_padded
from registry.ethereum.logs import Moment
from registry.feed.tables import EVENTS
from registry.rooms.datasets.events import Transferred
from registry.rooms.datasets.messages import CONTRACT
from registry.rooms.datasets.projection import KINDS
from registry.rooms.datasets.service import read_dataset
from registry.rooms.datasets.tables import DATASETS
from registry.rooms.deployment import Deployment
from registry.rooms.room import Ownership
from registry.storage import Storage


def owner_of(chain: Chain, deployment: Deployment, dataset_id: Bytes32) -> Address | None:
    """Return the dataset's owner in the newest block according to the contract; None if the dataset does not exist.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    answer = call_view(chain, deployment.address_of(CONTRACT), view_call("titleOf(uint256)", dataset_id), words=2)
    owner = Address(answer[WORD - Address.LENGTH : WORD])
    return None if owner == ZERO_ADDRESS else owner


def owner_before(chain: Chain, deployment: Deployment, dataset_id: Bytes32, moment: Moment) -> Address | None:
    """Return the owner of a dataset just before one of its events according to the contract's logs.

    Returns:
        The owner; None if the event is the registration.

    Raises:
        ChainUnavailable: No usable answer came, or the chain left that block meanwhile.
        RpcError: The node refused.
    """
    until = BlockRef(moment.block_number, moment.block_hash, moment.timestamp)
    try:
        dataset = read_dataset(chain, deployment, DatasetId(dataset_id), until)
    except NotFound as error:
        raise ChainUnavailable(f"The node's logs lack the registration of {dataset_id}.") from error
    return next((title.owner for title in reversed(dataset.titles) if title.since < moment), None)


def has_owned(storage: Storage, dataset_id: Bytes32, account: Address) -> bool:
    """Return whether an account owns or owned a dataset, as far as the index knows.

    Raises:
        Unavailable: The database cannot be used.
    """
    transfers = select(EVENTS.c.topics).where(
        EVENTS.c.subject_id == dataset_id, EVENTS.c.account == ZERO_ADDRESS, EVENTS.c.kind == KINDS[Transferred]
    )
    first = select(DATASETS.c.first_owner).where(DATASETS.c.dataset_id == dataset_id)
    with storage.read() as connection:
        if connection.execute(first).scalar_one_or_none() == account:
            return True
        topic = left_padded(account)
        return any(bytes(topics)[64:96] == topic for topics in connection.execute(transfers).scalars())


def owns_since(storage: Storage, account: Address, moment: float) -> bool:
    """Return whether an account owns a dataset that it registered itself by a moment, Unix seconds.

    A dataset that was transferred to the account does not count: one old dataset would otherwise give a history to many
    accounts.

    Raises:
        Unavailable: The database cannot be used.
    """
    registered = (DATASETS.c.owner == account, DATASETS.c.first_owner == account)
    oldest = select(DATASETS.c.registered_at).where(*registered).order_by(DATASETS.c.position).limit(1)
    with storage.read() as connection:
        found = connection.execute(oldest).scalar_one_or_none()
    return found is not None and found <= moment


OWNERSHIP: Final = Ownership("dataset", owner_of, owner_before, has_owned, owns_since)
