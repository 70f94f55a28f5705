"""One relayer a key: a lease in the database, by the database's clock.

Each holding has a token that is higher than all before it. Whatever a relayer writes, it writes in a transaction that
first finds its token unchanged, so that a holder that was thought dead can do no harm when it wakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Double, extract, func, literal_column, or_, select, update

from registry.base.errors import Conflict
from registry.base.primitives import Address
from registry.relay.tables import LEASES
from registry.storage.engine import Storage
from registry.storage.insert import insert_if_new


class LeaseLost(Conflict):
    """Another relayer has taken over the key; nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A holding of a key.

    Args:
        storage: The database.
        relayer: The key's account.
        token: This holding's number.
    """

    storage: Storage
    relayer: Address
    token: int

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A database transaction that only the present holder can make.

        Raises:
            LeaseLost: Another has taken over.
            Unavailable: The database cannot be used.
        """
        with self.storage.write() as connection:
            held = connection.execute(
                # An update, so that PostgreSQL locks the row until the transaction ends.
                update(LEASES)
                .where(LEASES.c.relayer == self.relayer, LEASES.c.token == self.token)
                .values(token=self.token)
            )
            if held.rowcount != 1:
                raise LeaseLost(f"Another relayer has taken over the key of {self.relayer}.")
            yield connection

    def renew(self, seconds: float) -> None:
        """Holds on for so many seconds from now.

        Raises:
            LeaseLost: Another has taken over.
            Unavailable: The database cannot be used.
        """
        with self.write() as connection:
            connection.execute(
                update(LEASES)
                .where(LEASES.c.relayer == self.relayer)
                .values(expires_at=database_time(connection) + seconds)
            )

    def release(self) -> None:
        """Lets another take over at once. Does nothing if another has done so already."""
        with self.storage.write() as connection:
            connection.execute(
                update(LEASES)
                .where(LEASES.c.relayer == self.relayer, LEASES.c.token == self.token)
                .values(expires_at=0.0, token=self.token + 1)
            )


def take(storage: Storage, relayer: Address, holder: str, seconds: float) -> Lease | None:
    """Takes the key, if nobody else holds it.

    Args:
        storage: The database.
        relayer: The key's account.
        holder: Who takes it. Whoever has the same name is the same holder, back from a crash: only one process at a
            time may have it.
        seconds: For how long, from now.

    Raises:
        Unavailable: The database cannot be used.

    Returns:
        The lease, or None: another holds it.
    """
    with storage.write() as connection:
        now = database_time(connection)
        taken = connection.execute(
            update(LEASES)
            .where(LEASES.c.relayer == relayer, or_(LEASES.c.expires_at <= now, LEASES.c.holder == holder))
            .values(holder=holder, token=LEASES.c.token + 1, expires_at=now + seconds)
        )
        if taken.rowcount == 0:
            first = connection.execute(
                insert_if_new(connection, LEASES)
                .values(relayer=relayer, holder=holder, token=1, expires_at=now + seconds)
                .returning(LEASES.c.token)
            ).one_or_none()
            if first is None:
                return None
        token = connection.execute(select(LEASES.c.token).where(LEASES.c.relayer == relayer)).scalar_one()
    return Lease(storage, relayer, token)


def latest_relayer(storage: Storage) -> Address | None:
    """Return the account whose key was leased last, for processes that have no key; None if none was.

    Raises:
        Unavailable: The database cannot be used.
    """
    wanted = select(LEASES.c.relayer).order_by(LEASES.c.expires_at.desc()).limit(1)
    with storage.read() as connection:
        relayer: Address | None = connection.execute(wanted).scalar_one_or_none()
    return relayer


def database_time(connection: Connection) -> ColumnElement[float]:
    """The database's clock as an expression, Unix seconds: all who share a database share it."""
    if connection.dialect.name == "postgresql":
        return extract("epoch", func.clock_timestamp()).cast(Double)
    return literal_column("(julianday('now') - 2440587.5) * 86400.0", Double)
