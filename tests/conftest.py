"""What all suites share."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings

from tests.fixtures.randomness import SEED

pytest_plugins = [f"tests.fixtures.{name}" for name in ("databases", "chains", "nodes", "gateways", "activity")]

settings.register_profile("steady", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("seeded", derandomize=False, database=None, deadline=None, print_blob=True)
settings.load_profile("seeded" if SEED else "steady")


def pytest_report_header() -> str:
    """Say which seed this run has."""
    return f"seed: {SEED}" if SEED else "seed: fixed (derandomised)"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Seed the module `random` for each test, whatever ran before it."""
    random.seed(f"{item.nodeid} {SEED}")
