"""Requests of strangers end when their budget is used up, by counts and by a clock of the tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from registry.base.primitives import Address
from registry.chain.client import INVALID_PARAMS, LIMIT_EXCEEDED, RpcError
from registry.devchain.budget import Budget, limited
from registry.devchain.embedded import EmbeddedChain
from scripts.strangers.kinds import PAIR

FOREVER = "5b600056"  # JUMPDEST; PUSH1 0; JUMP
BLOCKS = 5


@pytest.fixture(scope="module")
def chain() -> Iterator[EmbeddedChain]:
    found = EmbeddedChain.in_memory(Address(b"\x11" * 20))
    for _ in range(BLOCKS):
        found.request("evm_mine")
    yield found
    found.close()


def budget(**changed: Any) -> Budget:
    values: dict[str, Any] = {"seconds": 1000.0, "blocks": 1000, "bytes": 1_000_000, "clock": lambda: 0.0}
    return Budget(**(values | changed))


def ticking(every: int = 1) -> Any:
    """A clock that advances by a second with each reading."""
    seconds = itertools.count()
    return lambda: float(next(seconds) // every)


def codes(answers: list[Any]) -> list[int | None]:
    return [answer.code if isinstance(answer, RpcError) else None for answer in answers]


def test_a_hundred_percentiles_are_answered_and_one_more_is_not(chain: EmbeddedChain) -> None:
    """A5."""
    history = chain.request("eth_feeHistory", ["0x2", "latest", [50] * 100])
    assert [len(row) for row in history["reward"]] == [100, 100]
    with pytest.raises(RpcError, match="100 percentiles") as caught:
        chain.request("eth_feeHistory", ["0x2", "latest", [50] * 101])
    assert caught.value.code == INVALID_PARAMS


def test_the_answers_of_a_batch_are_counted_while_they_are_made(chain: EmbeddedChain) -> None:
    """A5: an excessive answer is refused before it is made."""
    made: list[int] = []
    request = chain.request

    def counted(method: str, params: Any = ()) -> Any:
        made.append(1)
        return request(method, params)

    call = ("eth_getBlockByNumber", ["0x1", False])
    with limited(budget(bytes=5_000)), pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "request", counted)
        answers = chain.batch([call] * 100)
    assert codes(answers)[0] is None
    assert codes(answers)[-1] == LIMIT_EXCEEDED
    assert len(made) < 20


def test_queries_for_logs_end_at_so_many_blocks_over_the_whole_request(chain: EmbeddedChain) -> None:
    """A7."""
    query = ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"}])
    a_query = BLOCKS + 1
    with limited(budget(blocks=2 * a_query)):
        assert codes(chain.batch([query] * 3)) == [None, None, LIMIT_EXCEEDED]
    assert codes(chain.batch([query] * 50)) == [None] * 50, "the node's own reads have no budget"


def test_a_request_whose_time_is_up_or_whose_client_has_gone_ends(chain: EmbeddedChain) -> None:
    """A6, A7."""
    call = ("eth_blockNumber", [])
    with limited(budget(seconds=10.0, clock=ticking())):
        assert codes(chain.batch([call] * 20)) == [None] * 10 + [LIMIT_EXCEEDED] * 10
    left = iter([False, False, True, True])
    with limited(budget(is_abandoned=lambda: next(left))):
        assert codes(chain.batch([call] * 4)) == [None, None, LIMIT_EXCEEDED, LIMIT_EXCEEDED]


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_call_ends_with_its_time_whatever_its_gas_pays_for(chain: EmbeddedChain, method: str) -> None:
    """A8."""
    call = {"data": f"0x{FOREVER}", "gas": hex(2**24)}
    with limited(budget(seconds=10.0, clock=ticking())):
        (answer,) = chain.batch([(method, [call, "latest"])])
    assert (answer.code, "took more than 10 s" in answer.message) == (LIMIT_EXCEEDED, True)


def pairings(pairs: int, times: int) -> str:
    """Code that gives the pairing check so many pairs, so often."""
    length = f"61{len(PAIR) * pairs:04x}"
    check = f"60006000{length}600060085afa50" * times
    head = f"{length}61{10 + len(check) // 2:04x}600039"
    return f"0x{head}{check}00{(PAIR * pairs).hex()}"


def test_a_pairing_check_of_many_pairs_is_refused_and_one_of_few_is_not(chain: EmbeddedChain) -> None:
    """A8: one precompile cannot be stopped once it runs."""

    def called(pairs: int) -> Any:
        with limited(budget()):
            return chain.batch([("eth_call", [{"data": pairings(pairs, 1), "gas": hex(2**24)}, "latest"])])[0]

    assert called(1) == "0x"
    assert (called(11).code, "0x08" in called(11).message) == (LIMIT_EXCEEDED, True)


def test_the_setup_of_blobs_is_not_read_for_a_call(chain: EmbeddedChain) -> None:
    """A8: the precompile 0x0a (EIP-4844) reads it each time, for seconds in which nothing can be stopped."""
    with limited(budget()):
        (answer,) = chain.batch([("eth_call", [{"to": f"0x{10:040x}", "data": "0x" + "00" * 192}, "latest"])])
    assert (answer.code, "0x0a is not computed here" in answer.message) == (LIMIT_EXCEEDED, True)


@pytest.mark.parametrize("given", ["61ffff", "5f"])
def test_the_memory_of_all_frames_of_a_call_is_bounded(chain: EmbeddedChain, given: str) -> None:
    """A8: a copy of a frame's input costs 100 gas at any length, and a frame without code costs no more."""
    again = f"5b5f5f{given}5f5f61abcd5ff1505f56"  # JUMPDEST, CALL(0, 0xabcd, 0, 0, length, 0, 0), POP, JUMP(0)
    with limited(budget(memory=2**20)):
        (answer,) = chain.batch([("eth_call", [{"data": f"0x{again}", "gas": hex(2**24)}, "latest"])])
    assert (answer.code, "memory" in answer.message) == (LIMIT_EXCEEDED, True)


def test_the_time_is_looked_at_before_each_precompile(chain: EmbeddedChain) -> None:
    """A8: many small ones run too few opcodes to be noticed between them."""
    looks = ticking()
    with limited(budget(seconds=4.0, clock=looks)):
        (answer,) = chain.batch([("eth_call", [{"data": pairings(1, 50), "gas": hex(2**24)}, "latest"])])
    assert answer.code == LIMIT_EXCEEDED
    assert looks() < 10, "it ended after a few of the fifty"


def calls_itself_twice() -> str:
    """Code that creates a contract whose every frame runs 16 opcodes, two of them calls to itself, and calls it."""
    runtime = bytes.fromhex("5f5f5f5f5f305af150" * 2)  # PUSH0 (five times) ADDRESS GAS CALL POP
    create = bytes.fromhex(f"60{len(runtime):02x}600a5f3960{len(runtime):02x}5ff3") + runtime
    head = f"60{len(create):02x}60145f3960{len(create):02x}5f5ff05f5f5f5f5f855af100"
    return f"0x{head}{create.hex()}"


def test_frames_too_short_to_be_noticed_alone_are_counted_together(chain: EmbeddedChain) -> None:
    """A8: a tree of calls, each of which runs fewer opcodes than lie between two checks."""
    with limited(budget(seconds=10.0, clock=ticking())):
        (answer,) = chain.batch([("eth_call", [{"data": calls_itself_twice(), "gas": hex(2**22)}, "latest"])])
    assert answer.code == LIMIT_EXCEEDED


def test_a_fee_history_ends_with_its_time(chain: EmbeddedChain) -> None:
    """A5: a block of the history may be full, and there may be 1,024."""
    with limited(budget(seconds=3.0, clock=ticking())):
        (answer,) = chain.batch([("eth_feeHistory", [hex(BLOCKS), "latest", [50]])])
    assert answer.code == LIMIT_EXCEEDED
