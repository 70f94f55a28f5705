"""The terms on which a gateway relays: at what price, for whom, and how much."""

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
"""How long a price is used before the node is asked again: less than most chains' time between two blocks."""

OwnsSince = Callable[[Address, float], bool]
"""Returns whether an account owns a subject that it registered itself by a time, Unix seconds."""


def _none(account: Address, moment: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which messages are relayed.

    Args:
        price: Returns what a transaction would offer now; rehearsals offer as much.
        contract_wallets: Whether accounts with code may sign where gas costs money. Their code can tell a rehearsal
            from a transaction, and use all the gas of one.
        budgets: How much gas may be used in an hour where gas costs money; None: as much as is asked for.
        owns_since: Distinguishes accounts with a history from newcomers.
    """

    price: Callable[[], Fees]
    contract_wallets: bool
    budgets: GasBudgets | None
    owns_since: OwnsSince = _none

    def is_newcomer(self, account: Address, now: float) -> bool:
        """Return whether an account has no history. New accounts cost nothing, so anyone can have many of them."""
        return not self.owns_since(account, now - NEW_SECONDS)


class Price:
    """What a transaction would offer now, read from the chain every few seconds. May be called from any thread.

    Args:
        chain: The chain.
        maximum_fee: The most that is ever offered, wei a unit of gas.
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
        # Without a lock: two requests at once do no harm, and no thread waits for another's answer from a dead node.
        quote, now = self._quote, self._clock()
        if quote is None or now - quote[0] > QUOTE_SECONDS:
            quote = self._quote = (now, self._asked())
        return quote[1]

    def _asked(self) -> Fees:
        block, tip, price = self._chain.batch(
            [("eth_getBlockByNumber", ["latest", False]), ("eth_maxPriorityFeePerGas", []), ("eth_gasPrice", [])]
        )
        if isinstance(block, RpcError):
            raise block
        return Prices.read(block, tip, price).offer(self._maximum_fee)


def no_wallets(account: Address, prepared: PreparedTransaction) -> InvalidInput:
    """Return the refusal to relay for an account with code."""
    return InvalidInput(
        f"The signer {account} is a contract wallet, and this gateway does not pay for what its code may do.",
        hint=f"{prepared.how_to_send()} Or ask the operator to set TDR_CONTRACT_WALLETS.",
    )
