"""What all suites share."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["tests.fixtures.databases", "tests.fixtures.chains"]

settings.register_profile("steady", derandomize=True, database=None, print_blob=True)
settings.load_profile("steady")
"""The examples of a test depend on the test alone, so a run that fails can be repeated."""
