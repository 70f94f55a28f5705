"""The process that computes for strangers can be stopped during any computation, and never answers wrongly."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tests.fixtures.waiting import PATIENCE

SETUP = """
    import signal
    from eth_keys.datatypes import PrivateKey
    from registry.devchain import budget, calculator, limited
    from registry.devchain.embedded import EmbeddedChain
    from tests.chain.test_budget import pairings
    from tests.chain.wallet import RELAYER

    chain, timer = EmbeddedChain.in_memory(RELAYER), calculator.BudgetTimer()

    def answer(call, is_abandoned):
        limits = budget.Budget(600, 1, 2**20, is_abandoned=is_abandoned)
        with budget.limited(limits):
            return calculator._frame(chain, timer, limits, "eth_call", [call, "latest"]).decode()
"""


def told(program: str) -> list[str]:
    """Return the output of a process that computes as the node's does."""
    text = textwrap.dedent(SETUP) + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=PATIENCE)
    return done.stdout.splitlines()


def test_a_precompile_that_runs_is_stopped_when_the_budget_ends() -> None:
    """A8: ten pairs take seconds in Python, without checks of the budget."""
    program = """
        happened, bounded = [], limited._bounded

        def noted(precompile, number):
            def run(computation):
                happened.append("begun")
                precompile(computation)
                happened.append("finished")
            return bounded(run, number)

        limited._bounded = noted
        call = {"data": pairings(10, 1), "gas": hex(2**24)}
        for is_abandoned in (lambda: bool(happened), lambda: False):
            print(answer(call, is_abandoned), happened)
    """
    stopped, finished = told(program)
    assert stopped == """E[-32005,"the client has gone",null] ['begun']"""
    assert finished == """R"0x" ['begun', 'begun', 'finished']"""


def test_a_recovery_that_was_stopped_is_no_signature_that_is_wrong() -> None:
    """eth_keys takes whatever is raised in a recovery for a bad signature, and ecrecover then gives nothing."""
    program = """
        from coincurve import PublicKey

        key = PrivateKey(b"\\x01" * 32)
        signature = key.sign_msg_hash(b"\\x02" * 32)
        words = [b"\\x02" * 32, *(value.to_bytes(32, "big") for value in (signature.v + 27, signature.r, signature.s))]
        call = {"to": f"0x{1:040x}", "data": "0x" + b"".join(words).hex()}
        print(key.public_key.to_address(), answer(call, lambda: False))
        recover, begun = PublicKey.from_signature_and_message, []

        def interrupted(*arguments, **named):
            begun.append(True)
            signal.raise_signal(signal.SIGALRM)
            return recover(*arguments, **named)

        PublicKey.from_signature_and_message = interrupted
        print(answer(call, lambda: bool(begun)))
    """
    in_time, late = told(program)
    address, result = in_time.split()
    assert result == f'R"0x{address[2:]:0>64}"'
    assert late == 'E[-32005,"the client has gone",null]'


def test_a_signal_between_two_calls_ends_nothing() -> None:
    program = """
        gone = []
        print(answer({"data": "0x"}, lambda: bool(gone)), signal.getitimer(signal.ITIMER_REAL)[0])
        gone.append(True)
        signal.raise_signal(signal.SIGALRM)
        print("goes on")
    """
    assert told(program) == ['R"0x" 0.0', "goes on"]
