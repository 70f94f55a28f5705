"""A small folder to be hashed."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data" / "sub").mkdir(parents=True)
    (tmp_path / "data" / "a.csv").write_bytes(b"a")
    (tmp_path / "data" / "sub" / "b.csv").write_bytes(b"b")
    return tmp_path / "data"
