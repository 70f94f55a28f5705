"""The process that computes for strangers stops in the middle of whatever it computes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tests.fixtures.waiting import PATIENCE

PROGRAM = """
    from registry.chain import budget, calculator, limited
    from registry.chain.budget import Budget
    from registry.chain.embedded import EmbeddedChain
    from tests.chain.test_budget import pairings
    from tests.chain.wallet import RELAYER

    happened, bounded = [], limited._bounded

    def told(precompile, number):
        def run(computation):
            happened.append("begun")
            precompile(computation)
            happened.append("finished")
        return bounded(run, number)

    limited._bounded = told
    chain = EmbeddedChain.in_memory(RELAYER)
    call = {"data": pairings(10, 1), "gas": hex(2**24)}
    for is_abandoned in (lambda: bool(happened), lambda: False):
        limits = Budget(600, 1, 2**20, is_abandoned=is_abandoned)
        with budget.limited(limits):
            print(calculator._frame(chain, limits, "eth_call", [call, "latest"]).decode(), happened)
"""


def test_a_precompile_that_runs_is_stopped_when_the_budget_ends() -> None:
    """A8: ten pairs take seconds in Python, and look at no budget."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    stopped, finished = done.stdout.splitlines()
    assert stopped == """E[-32005,"the client has gone",null] ['begun']"""
    assert finished == """R"0x" ['begun', 'begun', 'finished']"""
