"""A network of three geth validators under Clique, and a registry's node on it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from scripts.network import geth
from scripts.network.validators import Network
from tests.e2e.conftest import key_folder, keys, tdr_at

__all__ = ["key_folder", "keys", "tdr_at"]


@pytest.fixture
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Three validators that make a block a second; gone in the end."""
    if not geth.path().exists():
        missing = f"geth {geth.VERSION} is not built here. Build it (with Go): make geth"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with Network(tmp_path_factory.mktemp("network") / "data") as running:
        yield running
