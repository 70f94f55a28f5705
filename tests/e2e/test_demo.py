"""`make demo` as a test: it asserts every step itself. Its node is a process; its commands are forked."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

import pytest

from scripts import demo
from tests.fixtures.commands import tdr_forked
from tests.fixtures.waiting import PATIENCE

pytestmark = pytest.mark.long


def run_forked(words: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = tdr_forked(words, environment, PATIENCE, demo.ROOT)
    return subprocess.CompletedProcess(words, done.code, done.out, done.err)


def test_the_demo_goes_the_whole_way(capsys: pytest.CaptureFixture[str]) -> None:
    demo.main(run_forked)
    shown = capsys.readouterr().out
    assert "penguins-raw.csv: changed" in shown
    assert "All as expected" in shown


def test_make_demo_runs_what_is_tested() -> None:
    """The installed command, from nothing, as `make demo` runs it."""
    done = demo.run_installed(["--version"], {})
    assert done.returncode == 0, done.stderr
