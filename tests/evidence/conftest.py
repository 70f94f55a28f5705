"""One world with all stories, on a chain in memory."""

from __future__ import annotations

import pytest

from registry.devchain.embedded import EmbeddedChain
from tests.chain.wallet import RELAYER
from tests.evidence.stories import Story, tell
from tests.evidence.world import World


@pytest.fixture(scope="session")
def world() -> World:
    """Both contracts on a chain in memory."""
    return World(EmbeddedChain.in_memory(RELAYER))


@pytest.fixture(scope="session")
def stories(world: World) -> dict[str, Story]:
    """Bundles by the name of their story."""
    return tell(world)
