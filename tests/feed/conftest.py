"""The world of the index, for what follows from it."""

from __future__ import annotations

from tests.index.conftest import activity, indexer

__all__ = ["activity", "indexer"]
