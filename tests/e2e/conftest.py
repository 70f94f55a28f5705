"""One node for all tests that do not harm it, and commands that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.nodes import NodeProcess, Tdr, running


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """One node for all tests that do not harm it."""
    with running(NodeProcess(tmp_path_factory.mktemp("node") / "data")) as started:
        yield started


@pytest.fixture(scope="session")
def tdr(node: NodeProcess, tdr_at: Callable[[str], Tdr]) -> Tdr:
    return tdr_at(node.url)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of three files, one in a folder with a Chinese name; unlike that of any other test."""
    folder = tmp_path / "files"
    (folder / "子目录").mkdir(parents=True)
    (folder / "a.csv").write_text(f"1,2,{tmp_path}\n")
    (folder / "b.csv").write_text("")
    (folder / "子目录" / "数据.csv").write_text("3,4\n")
    return folder
