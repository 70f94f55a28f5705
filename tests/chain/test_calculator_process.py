"""Strangers' requests to the embedded chain run in another process, with the same answers and a time limit."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.chain.client import RpcError
from registry.devchain import calculator_process
from registry.devchain.budget import Budget
from registry.devchain.calculator_process import CalculatorProcess, Lane
from registry.devchain.embedded import EmbeddedChain
from tests.chain.contracts import STORES_TIME_AND_LOGS, init_code
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.waiting import PATIENCE

LOOPS = "0x5b600056"  # JUMPDEST PUSH1 0 JUMP
ENDLESS: tuple[str, list[Any]] = ("eth_call", [{"data": LOOPS, "gas": "0x1000000"}, "latest"])
CHAIN_ID: tuple[str, list[Any]] = ("eth_chainId", [])


def budget(seconds: float = PATIENCE, **changed: Any) -> Budget:
    values: dict[str, Any] = {"seconds": seconds, "blocks": 10_000, "bytes": 2**20}
    return Budget(**(values | changed))


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedChain]:
    monkeypatch.setattr(calculator_process, "GRACE_SECONDS", PATIENCE)  # However slow the machine is just now.
    opened = EmbeddedChain.open(tmp_path, RELAYER, mine_interval=0.01)
    yield opened
    opened.close()


def process_of(chain: EmbeddedChain) -> int:
    process = chain._calculators[Lane.QUICK]._process
    assert process is not None
    return process.pid


def computed(chain: EmbeddedChain, *calls: tuple[str, list[Any]], limits: Budget | None = None) -> list[Any]:
    answers = list(chain.computed(calls, limits or budget(), Lane.QUICK))
    return [answer if isinstance(answer, RpcError) else json.loads(answer) for answer in answers]


def test_answers_and_errors_are_those_of_the_chain_itself_as_soon_as_a_block_is_made(chain: EmbeddedChain) -> None:
    wallet = Wallet(chain)
    for _ in range(3):
        made = wallet.receipt(wallet.send(to=None, data=init_code(STORES_TIME_AND_LOGS), gas=500_000))
        address = made["contractAddress"]
        logged = wallet.receipt(wallet.send(to=address, data="0x" + "07" * 32, gas=200_000))
        block = logged["blockNumber"]
        calls: list[tuple[str, list[Any]]] = [
            ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest", "address": address}]),
            ("eth_feeHistory", ["0x400", block, [10, 50]]),
            ("eth_call", [{"to": address, "data": "0x"}, block]),
            ("eth_estimateGas", [{"to": address, "data": "0x" + "08" * 32}, block]),
            ("eth_blockNumber", []),
        ]
        expected = chain.batch(calls)
        assert len(expected[0]) == 1
        assert computed(chain, *calls) == expected
    wrong: list[tuple[str, list[Any]]] = [("eth_call", [{"to": "0x12"}]), ("eth_call", []), ("eth_getLogs", [{"x": 1}])]
    for here, there in zip(chain.batch(wrong), computed(chain, *wrong), strict=True):
        assert isinstance(here, RpcError)
        assert (there.code, there.message, there.data) == (here.code, here.message, here.data)


def test_all_calls_of_a_request_share_its_budget(chain: EmbeddedChain) -> None:
    query: tuple[str, list[Any]] = ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"}])
    answers = computed(chain, *[query] * 5, limits=budget(blocks=3))  # One block, the first, each time.
    assert [isinstance(answer, RpcError) for answer in answers] == [False, False, False, True, True]
    block: tuple[str, list[Any]] = ("eth_getBlockByNumber", ["latest"])
    size = len(json.dumps(chain.request(*block), separators=(",", ":")))
    answers = computed(chain, *[block] * 4, limits=budget(bytes=2 * size))
    assert [isinstance(answer, RpcError) for answer in answers] == [False, False, True, True]


def test_a_call_ends_with_its_budget_and_the_process_goes_on(chain: EmbeddedChain) -> None:
    first, second = computed(chain, ENDLESS, ENDLESS, limits=budget(seconds=0.2))
    for answer in (first, second):
        assert (answer.code, "took more than 0.2 s" in answer.message) == (-32005, True)
    process = process_of(chain)
    assert computed(chain, CHAIN_ID) == [chain.request("eth_chainId")]
    assert process_of(chain) == process


def test_a_call_that_nobody_waits_for_ends_and_the_process_goes_on(chain: EmbeddedChain) -> None:
    answers = computed(chain, ENDLESS, ENDLESS, limits=budget(is_abandoned=lambda: True))
    assert [answer.message for answer in answers] == ["the client has gone"] * 2
    process = process_of(chain)
    assert computed(chain, CHAIN_ID) == [chain.request("eth_chainId")]
    assert process_of(chain) == process


def test_a_process_that_does_not_look_at_its_budget_is_ended_and_another_answers(
    chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calculator_process, "GRACE_SECONDS", 0.1)
    computed(chain, CHAIN_ID)
    process = process_of(chain)
    os.kill(process, signal.SIGSTOP)  # As one long computation of a precompile would: it looks at nothing.
    first, second = computed(chain, ENDLESS, CHAIN_ID, limits=budget(seconds=0.2))
    assert (first.code, second.code) == (-32005, -32005)
    assert computed(chain, CHAIN_ID) == [chain.request("eth_chainId")]
    assert process_of(chain) != process
    assert not Path(f"/proc/{process}").exists()


def test_a_process_that_was_killed_costs_one_request_its_answer(chain: EmbeddedChain) -> None:
    computed(chain, CHAIN_ID)
    answers = chain.computed([CHAIN_ID, ENDLESS, CHAIN_ID], budget(), Lane.QUICK)
    assert next(answers) == json.dumps(chain.request("eth_chainId")).encode()
    os.kill(process_of(chain), signal.SIGKILL)
    for answer in answers:
        assert isinstance(answer, RpcError)
        assert "ended without a result" in answer.message
    assert computed(chain, CHAIN_ID) == [chain.request("eth_chainId")]


def test_answers_that_nobody_reads_are_no_answers_to_the_next_request(chain: EmbeddedChain) -> None:
    answers = chain.computed([CHAIN_ID] * 3, budget(), Lane.QUICK)
    next(answers)
    answers.close()
    assert computed(chain, ("eth_blockNumber", [])) == [chain.request("eth_blockNumber")]


def test_the_process_ends_with_the_chain_and_with_a_node_that_is_killed(chain: EmbeddedChain, tmp_path: Path) -> None:
    computed(chain, CHAIN_ID)
    process = process_of(chain)
    chain.close()
    assert not Path(f"/proc/{process}").exists()
    chain.prepare(Lane.QUICK)  # As a request does that waited for its turn meanwhile.
    assert chain._calculators[Lane.QUICK]._process is None
    left = CalculatorProcess(tmp_path, Lane.QUICK)
    list(left.answers([CHAIN_ID], budget()))
    assert left._process is not None
    assert left._connection is not None
    left._connection.close()  # As the system does for a process that is killed.
    assert left._process.wait(PATIENCE) == 0


def test_a_process_that_cannot_start_is_an_error_for_each_call(tmp_path: Path) -> None:
    nowhere = CalculatorProcess(tmp_path / "no chain", Lane.QUICK)
    answers = list(nowhere.answers([CHAIN_ID] * 2, budget()))
    nowhere.close()
    assert all(isinstance(answer, RpcError) and "ended without" in answer.message for answer in answers)
    assert len(answers) == 2


def test_a_process_that_was_too_slow_to_start_leaves_no_message_to_the_next(
    chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(calculator_process, "START_SECONDS", 0.0)
        assert all(isinstance(answer, RpcError) for answer in computed(chain, CHAIN_ID, CHAIN_ID))
        chain.prepare(Lane.QUICK)
    assert computed(chain, CHAIN_ID) == [chain.request("eth_chainId")]


def test_no_setting_of_the_node_is_in_the_environment_of_the_process(
    chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs strangers' code, and must not have the relayer's key or the database's password."""
    monkeypatch.setenv("TDR_RELAYER_KEY", "a secret")
    computed(chain, CHAIN_ID)
    environment = Path(f"/proc/{process_of(chain)}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"TDR_" not in environment


def test_the_node_makes_blocks_while_a_call_keeps_the_process_busy(chain: EmbeddedChain) -> None:
    """A7: a stranger's computation takes nothing from an honest write."""
    computed(chain, CHAIN_ID)
    wallet = Wallet(chain)
    is_over = False
    answers = chain.computed([CHAIN_ID, ENDLESS], budget(is_abandoned=lambda: is_over), Lane.QUICK)
    next(answers)
    os.kill(process_of(chain), signal.SIGSTOP)  # Busy for as long as this test takes.
    receipt = wallet.receipt(wallet.send(to=None, data=init_code(STORES_TIME_AND_LOGS), gas=500_000))
    assert chain.request("eth_blockNumber") == receipt["blockNumber"]
    os.kill(process_of(chain), signal.SIGCONT)
    is_over = True
    assert isinstance(next(answers), RpcError)
    answers.close()
