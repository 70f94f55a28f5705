"""What a transaction offers to pay (EIP-1559), in wei a unit of gas."""

from __future__ import annotations

from dataclasses import dataclass

ELASTICITY = 2
MAX_CHANGE = 8


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers.

    Args:
        maximum: The most it pays a unit of gas, wei.
        priority: What of that goes to whoever makes the block, wei.
    """

    maximum: int
    priority: int


def next_base_fee(base_fee: int, gas_used: int, gas_limit: int) -> int:
    """The base fee of the block that follows one with these values. Source: EIP-1559."""
    target = gas_limit // ELASTICITY
    if not target or gas_used == target:
        return base_fee
    change = base_fee * abs(gas_used - target) // target // MAX_CHANGE
    return base_fee + max(change, 1) if gas_used > target else base_fee - change


def offer(base_fee: int, priority: int) -> Fees:
    """An offer that stays good while the base fee doubles: for six full blocks."""
    return Fees(2 * base_fee + priority, priority)


def outbid(former: Fees, wanted: Fees) -> Fees:
    """An offer that nodes take in the place of a former one: an eighth more on both fees (geth asks for a tenth)."""
    return Fees(
        max(wanted.maximum, _an_eighth_more(former.maximum)), max(wanted.priority, _an_eighth_more(former.priority))
    )


def _an_eighth_more(fee: int) -> int:
    return fee + fee // 8 + 1
