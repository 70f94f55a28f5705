"""The EVM for untrusted calls: it checks a budget while it runs, because gas does not measure computing time.

In Python a pairing takes 15 to 30 times as long as other code with the same gas. So the time is checked while opcodes
run and before each precompile, and the input of a precompile is bounded. Gas does not measure memory either: py-evm
keeps each frame of a call with a copy of its input, and a copy costs almost no gas.
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
"""The opcodes between two checks of the budget, counted over all frames: nested calls can each be short."""
CHEAP: Final = 4
"""The precompiles 1 to 4 (ecrecover, SHA-256, RIPEMD-160, identity) take no longer than their gas pays for."""
MAX_INPUT: Final = 2_048
"""The maximum input in bytes of any other precompile: ten pairs of the pairing check."""
BLAKE2F: Final = 9
POINT_EVALUATION: Final = 10
"""It reads the setup of KZG for each call, two seconds that cannot be interrupted. It is for blobs, which this chain
does not have.
"""
FRAME_BYTES: Final = 4_096
"""The memory of a frame without its input."""
MAX_ROUNDS: Final = 10_000


class LimitedComputation(PragueComputation):
    """A computation that ends when the budget of its state is used up."""

    def consume_gas(self, amount: int, reason: str) -> None:
        """Consume gas, and check the budget from time to time.

        Raises:
            OverBudget: The budget is used up.
        """
        state: Any = self.state
        state.ran += 1
        if not state.ran % OPCODES_PER_CHECK:
            state.limits.check()
        super().consume_gas(amount, reason)

    def apply_child_computation(self, child_msg: MessageAPI) -> ComputationAPI:
        """Run a nested frame.

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
        """Return the precompiles, each with a check of the budget and a bound on its input."""
        address = self.msg.code_address
        precompiles = super().precompiles
        if address not in precompiles:
            return precompiles
        return {address: _bounded(precompiles[address], int.from_bytes(address, "big"))}


class LimitedState(PragueState):
    """The state of limited computations. Whoever builds it sets `limits`."""

    computation_class = LimitedComputation
    ran = 0


class LimitedVM(PragueVM):
    """Prague's rules with limited computations."""

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
