"""Watch whether the relaying account can pay. A shortage is logged once when it begins and once when it ends."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal
from typing import Final

from registry.base.primitives import Address

ETHER: Final = Decimal(10**18)
ACTION_GAS: Final = 250_000
"""About the published gas limit of a registration; most actions need less."""
FEWEST_ACTIONS: Final = 10
"""A balance that pays for fewer actions than this is low."""
REQUESTED_ACTIONS: Final = 100
"""The requested amount pays for this number of actions."""
_SHOWN = Context(prec=3, rounding=ROUND_UP)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shortage:
    """A balance that is too low to relay, or soon will be.

    Args:
        address: The account that pays.
        chain_id: The chain's id.
        balance: The account's balance, wei.
        missing: The least amount to send to the account, wei.
        is_stopped: Whether a pending transaction cannot be paid now.
    """

    address: Address
    chain_id: int
    balance: int
    missing: int
    is_stopped: bool

    def __str__(self) -> str:
        state = (
            "cannot pay for the pending transactions"
            if self.is_stopped
            else f"pays for fewer than {FEWEST_ACTIONS} more actions"
        )
        return (
            f"The relayer's balance of {ether(self.balance)} on chain {self.chain_id} {state}. Send at least "
            f"{ether(self.missing)} to {self.address}. The relayer then continues automatically."
        )


class FundingWatch:
    """A watch over a balance, which logs a shortage when it begins and when it ends.

    Args:
        address: The account that pays.
        chain_id: The chain's id.
    """

    def __init__(self, address: Address, chain_id: int) -> None:
        self._address = address
        self._chain_id = chain_id
        self.shortage: Shortage | None = None
        """The shortage at the last check; None if there was none."""

    def look(self, balance: int, price: int, *, due: int) -> Shortage | None:
        """Compare the balance with the costs; return the shortage, or None.

        Args:
            balance: The account's balance, wei.
            price: The price currently offered per unit of gas, wei; 0 on a free network.
            due: The cost of the transactions that must be paid for to continue, wei; 0 if none is unpaid.
        """
        former = self.shortage
        self.shortage = None
        if balance < due + FEWEST_ACTIONS * ACTION_GAS * price:
            requested = due + REQUESTED_ACTIONS * ACTION_GAS * price
            self.shortage = Shortage(self._address, self._chain_id, balance, requested - balance, balance < due)
        if self.shortage is not None and (former is None or self.shortage.is_stopped != former.is_stopped):
            log.error("%s", self.shortage)
        elif self.shortage is None and former is not None:
            log.info("the relayer %s has been funded: its balance is %s; it continues", self._address, ether(balance))
        return self.shortage


def ether(wei: int) -> str:
    """Return an amount as text, rounded up to three digits, so that sending the amount shown is enough."""
    return f"{_SHOWN.create_decimal(Decimal(wei) / ETHER):f} ether"
