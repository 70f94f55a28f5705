"""Fees that a transaction offers, in wei per unit of gas: EIP-1559 fees, or a gas price if blocks have no base fee."""

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
    """The fees that a transaction offers.

    Args:
        maximum: The most it pays per unit of gas, wei.
        priority: The part of `maximum` that goes to the block's producer, wei.
        is_legacy: Whether `maximum` is a gas price, for a chain whose blocks have no base fee.
    """

    maximum: int
    priority: int
    is_legacy: bool = False

    def to_json(self) -> dict[str, str]:
        """Return the fields of an `eth_call` that offers the same fees."""
        if self.is_legacy:
            return {"gasPrice": hex(self.maximum)}
        return {"maxFeePerGas": hex(self.maximum), "maxPriorityFeePerGas": hex(self.priority)}


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices that a node reports at one moment.

    Args:
        base_fee: The base fee of the next block, wei; 0 if blocks have no base fee.
        priority: The node's suggested priority fee, wei; the whole gas price if blocks have no base fee.
        is_legacy: Whether blocks have no base fee.
    """

    base_fee: int
    priority: int
    is_legacy: bool = False

    @classmethod
    def read(cls, head: Mapping[str, Any], priority: Any, price: Any) -> Prices:
        """Read the prices from a node's answers. On a free network they are 0.

        Args:
            head: The newest block.
            priority: The answer to `eth_maxPriorityFeePerGas`, or an error: not every node supports it.
            price: The answer to `eth_gasPrice`, or an error.

        Raises:
            ChainUnavailable: The answers are invalid.
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
            raise ChainUnavailable("The node returned invalid prices.") from error

    def offer(self, maximum_fee: int) -> Fees:
        """Return fees that remain sufficient until the base fee has doubled, which takes six full blocks.

        Args:
            maximum_fee: The cap on the fees, wei per unit of gas.
        """
        maximum = min(2 * self.base_fee + self.priority, maximum_fee)
        return Fees(maximum, min(self.priority, maximum), self.is_legacy)


def next_base_fee(base_fee: int, gas_used: int, gas_limit: int) -> int:
    """Return the base fee of the block that follows a block with these values. Source: EIP-1559."""
    target = gas_limit // ELASTICITY
    if not target or gas_used == target:
        return base_fee
    change = base_fee * abs(gas_used - target) // target // MAX_CHANGE
    return base_fee + max(change, 1) if gas_used > target else base_fee - change


def outbid(former: Fees, current: Fees) -> Fees:
    """Return fees with which nodes replace a transaction: both at least an eighth higher (geth requires a tenth).

    Args:
        former: The fees of the transaction to be replaced.
        current: The fees that a new transaction would offer now.
    """
    return Fees(
        max(current.maximum, _an_eighth_more(former.maximum)),
        max(current.priority, _an_eighth_more(former.priority)),
        current.is_legacy,
    )


def _an_eighth_more(fee: int) -> int:
    return fee + fee // 8 + 1
