"""How much gas the relayer pays for in an hour at most: in total, by account, and by subject.

Accepting a message charges the most that its transaction may use, in the database transaction that accepts it. So the
budgets hold across restarts and for all processes that share the database, and no message is accepted beyond them.

Open messages, for example requests for access, come from strangers. They are charged to the one who asks, and counted
separately by subject and by the subject's owner: they do not use up what an owner needs for messages about the same
subject.

Keys cost nothing, so a budget by account does not keep a stranger with many keys from using up the whole hour. What
accounts without a history may use together is therefore less than the hour's gas: the rest is left to those who have
owned a subject since the day before.
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
EVERYBODY: Final = "all"
NEWCOMERS: Final = "newcomers"
NEW_SECONDS: Final = 24 * HOUR
"""An account is new until it has owned a subject, which it registered itself, for so many seconds."""


@dataclass(frozen=True, slots=True)
class GasBudgets:
    """The most gas of the messages that are accepted in one hour of the clock.

    Args:
        total: Of all messages.
        account: Of those that one account signed; and of the open messages about all subjects of one owner.
        subject: Of those about one subject; open messages about it have a budget of the same size of their own.
        newcomers: Of those that accounts without a history signed, all together.
    """

    total: int
    account: int
    subject: int
    newcomers: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What a message would use of the budgets.

    Args:
        prepared: The message; its `gas` is what is charged.
        signer: The account that signed it, proven.
        owner: The owner of the subject that it is about.
        is_newcomer: Whether the signer has no history.
    """

    prepared: PreparedTransaction
    signer: Address
    owner: Address
    is_newcomer: bool = True


def spend(connection: Connection, budgets: GasBudgets, charge: Charge, now: float) -> None:
    """Charge a message to the budgets of this hour; in the transaction that accepts it.

    Args:
        connection: In a transaction that writes, and that is rolled back if this raises.
        budgets: The budgets.
        charge: What is charged.
        now: Unix seconds.

    Raises:
        LimitReached: A budget does not have as much left.
    """
    hour = int(now // HOUR)
    gas = charge.prepared.gas
    for scope, name, budget in _scopes(budgets, charge):
        # One statement, so that of two transactions at once the second sees what the first has spent.
        spent = connection.execute(_add(connection, hour, scope, gas, budget)).scalar_one_or_none()
        if spent is None or spent > budget:
            raise _exhausted(name, budget, charge, HOUR * (hour + 1) - now)
        if scope == EVERYBODY and spent == gas:
            connection.execute(delete(GAS_SPENT).where(GAS_SPENT.c.hour < hour - KEPT_HOURS))


def worst_fee(budgets: GasBudgets, maximum_fee: int) -> int:
    """Return the most that the messages accepted in one hour can cost the relayer, wei.

    Args:
        budgets: The budgets.
        maximum_fee: The most that a transaction offers a unit of gas, wei.
    """
    return budgets.total * maximum_fee


def _scopes(budgets: GasBudgets, charge: Charge) -> Iterator[tuple[str, str, int]]:
    """Yield what is charged: key, name and budget. In one order, that of all messages last, because rows are locked."""
    message, subject = charge.prepared.message, charge.prepared.message.subject
    yield f"account {charge.signer}", f"the account {charge.signer}", budgets.account
    if message.IS_OPEN:
        yield f"requests {charge.owner}", f"requests for what {charge.owner} owns", budgets.account
        yield f"requests {subject.id}", f"requests for the {subject}", budgets.subject
    else:
        yield str(subject), f"the {subject}", budgets.subject
    if charge.is_newcomer:
        name = f"accounts that have owned nothing here for {NEW_SECONDS // HOUR} hours"
        yield NEWCOMERS, name, budgets.newcomers
    yield EVERYBODY, "all messages", budgets.total


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
        f"The hour's budget of {budget} gas for {name} does not cover this message, which may use"
        f" {charge.prepared.gas}. Nothing was accepted.",
        hint=f"Try again in {_minutes(seconds)}, or do without the relayer. {charge.prepared.how_to_send()}",
        retry_after=seconds,
    )


def _minutes(seconds: float) -> str:
    minutes = max(1, -int(-seconds // 60))
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
