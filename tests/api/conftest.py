"""One gateway for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.world import Gateway, open_node, running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with open_node(tmp_path_factory.mktemp("node")) as node, running(node) as found:
        yield found
