"""One world for the session; each test gets it in its initial state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from scripts.compile_contracts import ROOT, compile_folder

from .world import World


@pytest.fixture(scope="session")
def session_world() -> World:
    """The world, before anything happened in it."""
    return World()


@pytest.fixture
def world(session_world: World) -> Iterator[World]:
    """The world, reset afterwards."""
    snapshot = session_world.tester.take_snapshot()
    yield session_world
    session_world.tester.revert_to_snapshot(snapshot)


@pytest.fixture(scope="session")
def wallets() -> Mapping[str, Mapping[str, Any]]:
    """The compiled contracts of tests/solidity, by name."""
    return compile_folder(ROOT / "tests" / "solidity")


@pytest.fixture
def dataset(world: World) -> int:
    """A dataset of `world.owner`."""
    return world.register()
