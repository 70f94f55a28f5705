"""A network of three geth validators under Clique, and a registry's node on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.network import geth
from scripts.network.validators import Network
from tests.fixtures.tools import need


@pytest.fixture
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Three validators that make a block a second; gone in the end."""
    need(geth.path().exists(), f"geth {geth.VERSION} is not built here. Build it (with Go): make geth")
    with Network(tmp_path_factory.mktemp("network") / "data") as running:
        yield running
