"""Hourly budgets of the gas that the relayer pays for: in total, by account, and by subject.

Accepting a message charges its gas limit, in the database transaction that accepts it. Therefore the budgets hold
across restarts and for all processes that share the database, and no message is accepted beyond them.

Open messages, for example requests for access, come from strangers. They are charged to the requester, and counted
separately by subject and by the subject's owner, so that they do not use up the owner's budget for the same subject.

Keys cost nothing, so a stranger with many keys could use up the total in spite of the budgets by account. Therefore all
accounts without a history share a budget smaller than the total. The rest is reserved for accounts that have owned a
subject for at least a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Insert, delete
from sqlalchemy.dialects import postgresql, sqlite

from registry.base.errors import LimitReached
from registry.base.primitives import Address
from registry.relay.prepared import PreparedTransaction
from registry.relay.tables import GAS_SPENT

HOUR: Final = 3600
KEPT_HOURS: Final = 24
ALL_ACCOUNTS: Final = "all"
NEWCOMERS: Final = "newcomers"
NEW_SECONDS: Final = 24 * HOUR
"""An account is new until it has owned a subject that it registered itself for this long."""


@dataclass(frozen=True, slots=True)
class GasBudgets:
    """The most gas that the messages accepted in one clock hour may use.

    Args:
        total: For all messages.
        account: For the messages that one account signed; and for the open messages about all subjects of one owner.
        subject: For the messages about one subject; open messages about it have a separate budget of the same size.
        newcomers: For all messages signed by accounts without a history.
    """

    total: int
    account: int
    subject: int
    newcomers: int


@dataclass(frozen=True, slots=True)
class Charge:
    """A message to be charged to the budgets.

    Args:
        prepared: The message; its `gas` is charged.
        signer: The account that signed it; the signature has been checked.
        owner: The owner of the message's subject.
        is_newcomer: Whether the signer has no history.
    """

    prepared: PreparedTransaction
    signer: Address
    owner: Address
    is_newcomer: bool = True


def spend(connection: Connection, budgets: GasBudgets, charge: Charge, now: float) -> None:
    """Charge a message to the budgets of this hour, in the transaction that accepts it.

    Args:
        connection: In a transaction that writes, and that is rolled back if this raises.
        budgets: The budgets.
        charge: The message.
        now: Unix seconds.

    Raises:
        LimitReached: A budget does not have enough left.
    """
    hour = int(now // HOUR)
    gas = charge.prepared.gas
    for scope, name, budget in _scopes(budgets, charge):
        # A single statement, so that the second of two concurrent transactions sees what the first has spent.
        spent = connection.execute(_add(connection, hour, scope, gas, budget)).scalar_one_or_none()
        if spent is None or spent > budget:
            raise _exhausted(name, budget, charge, HOUR * (hour + 1) - now)
        if scope == ALL_ACCOUNTS and spent == gas:
            connection.execute(delete(GAS_SPENT).where(GAS_SPENT.c.hour < hour - KEPT_HOURS))


def worst_fee(budgets: GasBudgets, maximum_fee: int) -> int:
    """Return the most that the messages accepted in one hour can cost the relayer, wei.

    Args:
        budgets: The budgets.
        maximum_fee: The most that a transaction offers per unit of gas, wei.
    """
    return budgets.total * maximum_fee


def _scopes(budgets: GasBudgets, charge: Charge) -> Iterator[tuple[str, str, int]]:
    """Yield key, name and budget of each scope. The order is fixed, with the total last, because rows are locked."""
    message, subject = charge.prepared.message, charge.prepared.message.subject
    yield f"account {charge.signer}", f"the account {charge.signer}", budgets.account
    if message.IS_OPEN:
        yield f"requests {charge.owner}", f"requests to the owner {charge.owner}", budgets.account
        yield f"requests {subject.id}", f"requests for the {subject}", budgets.subject
    else:
        yield str(subject), f"the {subject}", budgets.subject
    if charge.is_newcomer:
        name = f"accounts that have not owned anything here for {NEW_SECONDS // HOUR} hours"
        yield NEWCOMERS, name, budgets.newcomers
    yield ALL_ACCOUNTS, "all messages", budgets.total


def _add(connection: Connection, hour: int, scope: str, gas: int, budget: int) -> Insert:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(GAS_SPENT).values(hour=hour, scope=scope, gas=gas)
    total = GAS_SPENT.c.gas + gas
    added: Insert = statement.on_conflict_do_update(
        index_elements=[GAS_SPENT.c.hour, GAS_SPENT.c.scope], set_={"gas": total}, where=total <= budget
    ).returning(GAS_SPENT.c.gas)
    return added


def _exhausted(name: str, budget: int, charge: Charge, seconds: float) -> LimitReached:
    return LimitReached(
        f"The hourly budget of {budget} gas for {name} does not cover this message, which may use"
        f" {charge.prepared.gas}. Nothing was accepted.",
        hint=f"Try again in {_minutes(seconds)}, or send it without the relayer. {charge.prepared.how_to_send()}",
        retry_after=seconds,
    )


def _minutes(seconds: float) -> str:
    minutes = max(1, -int(-seconds // 60))
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
