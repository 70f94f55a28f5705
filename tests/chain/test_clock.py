"""The chain's time, as read from a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.base.primitives import Address
from registry.chain.client import Chain, ChainUnavailable
from registry.chain.clock import ChainClock
from registry.chain.rpc import RpcChain
from registry.devchain.embedded import EmbeddedChain
from tests.fixtures.chains import StartAnvil

NOW = 1_800_000_000
DAY = 86_400


class Machine:
    """A machine's two clocks, which are set by hand."""

    def __init__(self) -> None:
        self.time = float(NOW)
        self.steady = 0.0

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.steady += seconds

    def clock_of(self, chain: Chain) -> ChainClock:
        return ChainClock(chain, lambda: self.time, lambda: self.steady)


def chain_at(timestamp: int) -> EmbeddedChain:
    """A chain whose pending block is its newest block, as with some nodes."""
    return EmbeddedChain.in_memory(Address(b"\1" * 20), clock=lambda: float(timestamp))


class Leaving:
    """A real chain that can be cut off."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.is_gone = False

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        if self.is_gone:
            raise ChainUnavailable("no answer")
        return self.chain.batch(calls)


def test_of_an_idle_chain_the_time_is_the_machines() -> None:
    """The age of the newest block cannot be read from the block."""
    machine = Machine()
    clock = machine.clock_of(chain_at(NOW - 30 * DAY))
    assert clock.now() == NOW
    machine.wait(100)
    assert clock.now() == NOW + 100


def test_a_chain_ahead_of_the_machine_is_right() -> None:
    machine = Machine()
    assert machine.clock_of(chain_at(NOW + DAY)).now() == NOW + DAY


def test_once_a_block_has_been_seen_to_come_the_time_is_its_and_goes_on() -> None:
    """The machine's clock may be wrong by more than a year."""
    machine = Machine()
    machine.time += 400 * DAY
    chain = chain_at(NOW)
    clock = machine.clock_of(chain)
    clock.now()
    machine.wait(10)
    chain.request("evm_mine", [NOW + 10])
    assert clock.now() == NOW + 10
    for seconds in (1, 5, 60):
        machine.wait(seconds)
        clock.now()
    assert clock.now() == NOW + 76


def test_it_goes_on_while_the_chain_does_not_answer() -> None:
    machine = Machine()
    leaving = Leaving(chain_at(NOW))
    clock = machine.clock_of(leaving)  # type: ignore[arg-type]
    assert clock.now() == NOW
    leaving.is_gone = True
    machine.wait(50)
    assert clock.now() == NOW + 50


def test_before_the_chain_has_answered_there_is_no_time() -> None:
    machine = Machine()
    leaving = Leaving(chain_at(NOW))
    leaving.is_gone = True
    clock = machine.clock_of(leaving)  # type: ignore[arg-type]
    assert clock.now() is None
    leaving.is_gone = False
    machine.wait(5)
    assert clock.now() is not None


def test_a_node_that_shows_its_pending_block_tells_the_time(start_anvil: StartAnvil) -> None:
    _, url = start_anvil()
    chain = RpcChain([url])
    chain.request("evm_increaseTime", [400 * DAY])
    found = ChainClock(chain).now()
    chain.request("evm_mine", [])
    mined = int(chain.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
    chain.close()
    assert found is not None
    assert mined - 600 < found <= mined + 1
