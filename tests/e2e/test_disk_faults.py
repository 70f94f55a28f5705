"""Disks that fail under a node."""

from __future__ import annotations

import pytest

from scripts.disk_faults import WRITES_A_POINT, run
from tests.fixtures.tools import need_command

pytestmark = pytest.mark.long

POINTS = (4, 94, 184)
"""Three of the first 200 writes of a node's life; `python -m scripts.disk_faults` goes through all."""


@pytest.mark.parametrize(("kind", "answer"), [("EIO", "503"), ("ENOSPC", "507")])
def test_a_write_that_fails_leaves_nothing_by_half_and_reads_go_on(kind: str, answer: str) -> None:
    """R1: acknowledged is on the chain; refused is refused clearly, and accepted when it is sent again."""
    need_command("strace", "strace, which makes the writes fail, is not installed. Install it: apt-get install strace")
    found = run(POINTS, kind)
    assert found.faulty == []
    assert (found.lost, found.duplicated, found.halfWritten) == (0, 0, 0)
    assert found.acknowledged == found.onChain == len(POINTS) * WRITES_A_POINT
    assert found.faults > found.points
    assert found.refused.keys() <= {answer}
