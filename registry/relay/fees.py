"""What a transaction offers to pay, in wei a unit of gas: by EIP-1559, or a gas price where blocks have no base fee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from registry.chain.client import ChainUnavailable, RpcError

GWEI: Final = 10**9
ELASTICITY: Final = 2
MAX_CHANGE: Final = 8


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers.

    Args:
        maximum: The most it pays a unit of gas, wei.
        priority: What of that goes to whoever makes the block, wei.
        is_legacy: Whether it is a plain gas price, for a chain whose blocks have no base fee.
    """

    maximum: int
    priority: int
    is_legacy: bool = False

    def to_json(self) -> dict[str, str]:
        """Return the fields of an `eth_call` that offers the same."""
        if self.is_legacy:
            return {"gasPrice": hex(self.maximum)}
        return {"maxFeePerGas": hex(self.maximum), "maxPriorityFeePerGas": hex(self.priority)}


@dataclass(frozen=True, slots=True)
class Prices:
    """What a node asks at one moment.

    Args:
        base_fee: What the next block asks, wei; 0 where blocks have no base fee.
        priority: What the node suggests for the block's maker, wei: the whole gas price where there is no base fee.
        is_legacy: Whether blocks have no base fee.
    """

    base_fee: int
    priority: int
    is_legacy: bool = False

    @classmethod
    def read(cls, head: Mapping[str, Any], priority: Any, price: Any) -> Prices:
        """Read a node's answers. A free network asks for 0, and is then offered 0.

        Args:
            head: The newest block.
            priority: The answer to `eth_maxPriorityFeePerGas`; not every node knows it.
            price: The answer to `eth_gasPrice`.

        Raises:
            ChainUnavailable: They cannot be read.
        """
        try:
            asked = None if isinstance(price, RpcError) else int(price, 16)
            if head.get("baseFeePerGas") is None:
                return cls(0, GWEI if asked is None else asked, is_legacy=True)
            present, used, limit = (int(head[name], 16) for name in ("baseFeePerGas", "gasUsed", "gasLimit"))
            if not isinstance(priority, RpcError):
                tip = int(priority, 16)
            else:
                tip = GWEI if asked is None else max(asked - present, 0)
            by_rule = next_base_fee(present, used, limit)
            return cls(by_rule if asked is None else max(by_rule, asked - tip), tip)
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            raise ChainUnavailable("The node's answers about prices cannot be read.") from error

    def offer(self, maximum_fee: int) -> Fees:
        """Return an offer that stays good while the base fee doubles, for six full blocks; capped.

        Args:
            maximum_fee: The most that may be offered, wei.
        """
        maximum = min(2 * self.base_fee + self.priority, maximum_fee)
        return Fees(maximum, min(self.priority, maximum), self.is_legacy)


def next_base_fee(base_fee: int, gas_used: int, gas_limit: int) -> int:
    """The base fee of the block that follows one with these values. Source: EIP-1559."""
    target = gas_limit // ELASTICITY
    if not target or gas_used == target:
        return base_fee
    change = base_fee * abs(gas_used - target) // target // MAX_CHANGE
    return base_fee + max(change, 1) if gas_used > target else base_fee - change


def outbid(former: Fees, wanted: Fees) -> Fees:
    """An offer that nodes take in the place of a former one: an eighth more on both fees (geth asks for a tenth)."""
    return Fees(
        max(wanted.maximum, _an_eighth_more(former.maximum)),
        max(wanted.priority, _an_eighth_more(former.priority)),
        wanted.is_legacy,
    )


def _an_eighth_more(fee: int) -> int:
    return fee + fee // 8 + 1
