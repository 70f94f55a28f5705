"""Fixtures of the tests of the gateway."""

from __future__ import annotations

import pytest

from tests.api.studies import Study
from tests.api.world import Gateway


@pytest.fixture
def study(gateway: Gateway) -> Study:
    """A study that is registered, with nothing published."""
    study = Study(gateway)
    gateway.settle(study.message)
    return study
