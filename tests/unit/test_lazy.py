"""A module that is loaded on its first use: not before, and never seen half loaded."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from types import ModuleType

import pytest

from registry.base.lazy import LazyModule, lazy

GATES = """
import gates
gates.begun.set()
gates.open.wait(60)
VALUE = 7
"""


@pytest.fixture
def slow_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that loads as long as a test wants: its body waits for `gates.open`."""
    (tmp_path / "gates.py").write_text("import threading\nbegun, open = threading.Event(), threading.Event()\n")
    (tmp_path / "slow_module.py").write_text(GATES)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("gates", "slow_module"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "slow_module"


def test_a_second_thread_waits_until_the_first_has_loaded_the_module(slow_module: str) -> None:
    gates = lazy("gates")
    module = lazy(slow_module)
    assert slow_module not in sys.modules
    with ThreadPoolExecutor(8) as threads:
        try:
            first = threads.submit(lambda: module.VALUE)
            assert gates.begun.wait(60)
            others = [threads.submit(lambda: lazy(slow_module).VALUE) for _ in range(2)]
            others += [threads.submit(lambda: module.VALUE) for _ in range(2)]
            wait(others, timeout=0.2)  # Whoever does not wait has failed by then.
        finally:
            gates.open.set()
        assert [asked.result(60) for asked in (first, *others)] == [7] * 5


def test_a_loaded_module_is_itself() -> None:
    assert lazy("json") is sys.modules["json"]
    assert isinstance(lazy("json"), ModuleType)


def test_a_module_that_does_not_exist_says_so_on_first_use() -> None:
    module = lazy("registry.nosuch")
    assert isinstance(module, LazyModule)
    with pytest.raises(ModuleNotFoundError, match=r"registry\.nosuch"):
        _ = module.name
