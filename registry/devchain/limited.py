"""The EVM for strangers' calls: it looks at a budget as it runs, for gas is no measure of the time that it takes.

A pairing costs 15 to 30 times the time that its gas buys elsewhere, in Python. So the time is looked at while opcodes
run and before each precompile, and what one precompile may be given at once is bounded. Nor is gas a measure of
memory: py-evm keeps each frame of a call, with a copy of what it was given, and a copy costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eth.abc import ComputationAPI, MessageAPI
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth_typing import Address

from registry.devchain.budget import OverBudget

OPCODES_PER_CHECK: Final = 512
"""Opcodes between two looks at the budget, over all frames of a call: calls within calls can each be short."""
CHEAP: Final = 4
"""The precompiles 1 to 4 (ecrecover, SHA-256, RIPEMD-160, identity) take no more time than their gas pays for."""
MAX_INPUT: Final = 2_048
"""Bytes that any other may be given at once: ten pairs of the pairing check."""
BLAKE2F: Final = 9
POINT_EVALUATION: Final = 10
"""Reads the setup of KZG for each call, two seconds in which nothing can be stopped. It is for blobs; here are none."""
FRAME_BYTES: Final = 4_096
"""What a frame takes without what it was given."""
MAX_ROUNDS: Final = 10_000


class LimitedComputation(PragueComputation):
    """A computation that ends where the budget of its state does."""

    def consume_gas(self, amount: int, reason: str) -> None:
        """Consume gas; now and then look at the budget.

        Raises:
            OverBudget: The budget is used up.
        """
        state: Any = self.state
        state.ran += 1
        if not state.ran % OPCODES_PER_CHECK:
            state.limits.check()
        super().consume_gas(amount, reason)

    def apply_child_computation(self, child_msg: MessageAPI) -> ComputationAPI:
        """Run a frame within this one.

        Raises:
            OverBudget: The budget is used up.
        """
        state: Any = self.state
        state.limits.take_memory(
            FRAME_BYTES + len(child_msg.data) + (len(child_msg.code) if child_msg.is_create else 0)
        )
        return super().apply_child_computation(child_msg)

    @property
    def precompiles(self) -> dict[Address, Callable[[ComputationAPI], None]]:
        """The precompiles, each behind a look at the budget and a bound on what it is given."""
        address = self.msg.code_address
        found = super().precompiles
        if address not in found:
            return found
        return {address: _bounded(found[address], int.from_bytes(address, "big"))}


class LimitedState(PragueState):
    """The state of such computations; `limits` is set by whoever makes it."""

    computation_class = LimitedComputation
    ran = 0


class LimitedVM(PragueVM):
    """Prague's rules with such computations."""

    _state_class = LimitedState


def _bounded(precompile: Callable[[ComputationAPI], None], number: int) -> Callable[[ComputationAPI], None]:
    def run(computation: ComputationAPI) -> None:
        _limits(computation).check()
        if number == POINT_EVALUATION:
            raise OverBudget(f"execution aborted: the precompile {number:#04x} is not computed here")
        data = computation.msg.data
        rounds = int.from_bytes(data[:4], "big") if number == BLAKE2F else 0
        if number > CHEAP and (len(data) > MAX_INPUT or rounds > MAX_ROUNDS):
            raise OverBudget(f"execution aborted: too much input for the precompile {number:#04x} here")
        precompile(computation)

    return run


def _limits(computation: Any) -> Any:
    return computation.state.limits
