"""The index is of one chain and one deployment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from registry.base.errors import Conflict
from registry.base.primitives import Address, Bytes32
from registry.chain.client import ChainUnavailable, WrongChain
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.rooms.deployment import Deployment
from registry.storage import Storage
from tests.index.activity import Activity
from tests.index.faults import SpoilingChain

Alter = Callable[[Deployment], Deployment]


@pytest.mark.parametrize(
    "alter",
    [
        lambda one: replace(one, chain_id=one.chain_id + 1),
        lambda one: replace(one, genesis_hash=Bytes32(b"\x01" * 32)),
    ],
    ids=["chain id", "genesis"],
)
def test_a_wrong_chain_is_refused(alter: Alter, activity: Activity, sqlite_storage: Storage) -> None:
    with pytest.raises(WrongChain, match="but the contracts are on chain"):
        Indexer(activity.chain, sqlite_storage, alter(activity.deployment), ROOMS).step()


def test_addresses_without_contracts_are_refused(activity: Activity, sqlite_storage: Storage) -> None:
    contracts = activity.deployment.contracts
    nowhere = replace(contracts["DatasetRegistry"], address=Address(b"\x09" * 20))
    wrong = replace(activity.deployment, contracts={**contracts, "DatasetRegistry": nowhere})
    with pytest.raises(Conflict, match="There is no contract at 0x0909"):
        Indexer(activity.chain, sqlite_storage, wrong, ROOMS).step()


def test_a_database_of_another_deployment_is_refused(activity: Activity, indexer: Indexer, storage: Storage) -> None:
    indexer.catch_up()
    other = Activity(activity.chain, seed=8)
    with pytest.raises(Conflict, match="The index in this database is of the DatasetRegistry at"):
        Indexer(activity.chain, storage, other.deployment, ROOMS).step()


def test_a_node_that_has_not_reached_the_deployment_is_waited_for(activity: Activity, sqlite_storage: Storage) -> None:
    def at_genesis(method: str, params: Sequence[object], answer: Any) -> Any:
        if method == "eth_getCode":
            return "0x"
        if method == "eth_getBlockByNumber":
            return activity.chain.request(method, ["0x0", False])
        return answer

    with pytest.raises(ChainUnavailable, match="has not come as far"):
        Indexer(SpoilingChain(activity.chain, at_genesis), sqlite_storage, activity.deployment, ROOMS).step()
