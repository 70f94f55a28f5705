"""What all suites share."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import settings

from tests.fixtures.order import long_first
from tests.fixtures.randomness import SEED

pytest_plugins = [f"tests.fixtures.{name}" for name in ("databases", "chains", "nodes", "gateways", "activity")]

settings.register_profile("steady", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("seeded", derandomize=False, database=None, deadline=None, print_blob=True)
settings.load_profile("seeded" if SEED else "steady")


def pytest_report_header() -> str:
    """Say which seed this run has."""
    return f"seed: {SEED}" if SEED else "seed: fixed (derandomised)"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests marked as long begin first."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = long_first(items, workers, lambda item: item.get_closest_marker("long") is not None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Seed the module `random` for each test, whatever ran before it."""
    random.seed(f"{item.nodeid} {SEED}")
