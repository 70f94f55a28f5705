"""Whether the relaying account can pay, and what is told when it cannot: once, and once more when it can again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal
from typing import Final

from registry.base.primitives import Address

ETHER: Final = Decimal(10**18)
ACTION_GAS: Final = 250_000
"""About the published cap of a registration; most actions are cheaper."""
FEWEST_ACTIONS: Final = 10
"""A balance that pays for fewer further actions is low."""
REQUESTED_ACTIONS: Final = 100
"""What is asked for pays for so many further actions."""
_SHOWN = Context(prec=3, rounding=ROUND_UP)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shortage:
    """Too little money to go on, or soon.

    Args:
        address: The account that pays.
        chain_id: On which chain.
        balance: What it has, wei.
        missing: The least to send, wei.
        is_stopped: Whether something cannot be paid already.
    """

    address: Address
    chain_id: int
    balance: int
    missing: int
    is_stopped: bool

    def __str__(self) -> str:
        state = "cannot pay for what waits" if self.is_stopped else f"pays for fewer than {FEWEST_ACTIONS} more actions"
        return (
            f"The relayer's balance of {ether(self.balance)} on chain {self.chain_id} {state}: send at least "
            f"{ether(self.missing)} to {self.address}, then it goes on by itself."
        )


class FundingWatch:
    """Compares a balance with what is to be paid, and logs a shortage when it begins and when it ends.

    Args:
        address: The account that pays.
        chain_id: On which chain.
    """

    def __init__(self, address: Address, chain_id: int) -> None:
        self._address = address
        self._chain_id = chain_id
        self.shortage: Shortage | None = None
        """The shortage of the last look; None if there was none."""

    def look(self, balance: int, price: int, *, due: int) -> Shortage | None:
        """Compare, and return the shortage if there is one.

        Args:
            balance: What the account has, wei.
            price: What is offered a unit of gas now, wei; 0 on a free network.
            due: What must be paid for to go on, wei; 0 if nothing is unpaid.
        """
        former = self.shortage
        self.shortage = None
        if balance < due + FEWEST_ACTIONS * ACTION_GAS * price:
            requested = due + REQUESTED_ACTIONS * ACTION_GAS * price
            self.shortage = Shortage(self._address, self._chain_id, balance, requested - balance, balance < due)
        if self.shortage is not None and (former is None or self.shortage.is_stopped != former.is_stopped):
            log.error("%s", self.shortage)
        elif self.shortage is None and former is not None:
            log.info("The relayer %s is funded with %s: it goes on.", self._address, ether(balance))
        return self.shortage


def ether(wei: int) -> str:
    """Return an amount for people, rounded up to three digits: an amount to send suffices as it is shown."""
    return f"{_SHOWN.create_decimal(Decimal(wei) / ETHER):f} ether"
