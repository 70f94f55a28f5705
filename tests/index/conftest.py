"""A world for the index: people on anvil, and an indexer that follows them into each kind of database."""

from __future__ import annotations

import pytest

from registry.chain.rpc import RpcChain
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from tests.index.activity import Activity


@pytest.fixture
def activity(anvil: RpcChain) -> Activity:
    return Activity(anvil, seed=7)


@pytest.fixture
def indexer(activity: Activity, storage: Storage) -> Indexer:
    return Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8)
