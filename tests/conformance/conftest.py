"""Both verifiers side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.second import SecondVerifier


@pytest.fixture(scope="session")
def second() -> Iterator[SecondVerifier]:
    """The verifier in JavaScript."""
    verifier = SecondVerifier()
    yield verifier
    verifier.close()
