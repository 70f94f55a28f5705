"""The terms on which a gateway relays: price, accounts served, and budgets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.chain.client import Chain, RpcError
from registry.relay.budgets import NEW_SECONDS, GasBudgets
from registry.relay.fees import Fees, Prices
from registry.relay.prepared import PreparedTransaction

QUOTE_SECONDS: Final = 3.0
"""How long a price is used before the node is asked again; shorter than the block time of most chains."""

OwnsSince = Callable[[Address, float], bool]
"""Return whether an account owns a subject that it registered itself before a time, Unix seconds."""


def _never(account: Address, moment: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which messages are relayed.

    Args:
        price: Returns the fees that a transaction would offer now; simulations offer the same.
        contract_wallets: Whether contract wallets may sign if gas costs money. Their code can distinguish a simulation
            from a transaction, and use up all the gas of the latter.
        budgets: The hourly gas budgets if gas costs money; None means no limit.
        owns_since: Distinguishes accounts with a history from newcomers.
    """

    price: Callable[[], Fees]
    contract_wallets: bool
    budgets: GasBudgets | None
    owns_since: OwnsSince = _never

    def is_newcomer(self, account: Address, now: float) -> bool:
        """Return whether an account has no history. New accounts cost nothing, so anyone can have many of them."""
        return not self.owns_since(account, now - NEW_SECONDS)


class Price:
    """The fees that a transaction would offer now, read from the chain every few seconds. Thread-safe.

    Args:
        chain: The chain.
        maximum_fee: The most that is ever offered, wei per unit of gas.
        clock: Returns monotonic seconds.
    """

    def __init__(self, chain: Chain, maximum_fee: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._chain = chain
        self._maximum_fee = maximum_fee
        self._clock = clock
        self._quote: tuple[float, Fees] | None = None

    def __call__(self) -> Fees:
        """Return the fees.

        Raises:
            ChainUnavailable: No usable answer came.
            RpcError: The node refused.
        """
        # No lock: concurrent requests do no harm, and no thread waits for another's answer from an unresponsive node.
        quote, now = self._quote, self._clock()
        if quote is None or now - quote[0] > QUOTE_SECONDS:
            quote = self._quote = (now, self._read())
        return quote[1]

    def _read(self) -> Fees:
        block, tip, price = self._chain.batch(
            [("eth_getBlockByNumber", ["latest", False]), ("eth_maxPriorityFeePerGas", []), ("eth_gasPrice", [])]
        )
        if isinstance(block, RpcError):
            raise block
        return Prices.read(block, tip, price).offer(self._maximum_fee)


def no_wallets(account: Address, prepared: PreparedTransaction) -> InvalidInput:
    """Return the error for a message signed by a contract wallet that the terms exclude."""
    return InvalidInput(
        f"The signer {account} is a contract wallet, and this gateway does not pay for the gas that its code may use.",
        hint=f"{prepared.how_to_send()} Or ask the operator to set TDR_CONTRACT_WALLETS.",
    )
