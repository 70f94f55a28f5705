"""A lease in the database that allows one relayer per key. It expires by the database's clock.

Each lease has a token higher than that of every lease before it. A relayer writes only in transactions that first check
that its token is unchanged. Therefore a relayer that was presumed dead and resumes cannot write any more.
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
    """The error raised when another relayer has taken over the key; nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease of a key.

    Args:
        storage: The database.
        relayer: The key's account.
        token: The lease's number, higher than that of every earlier lease of the key.
    """

    storage: Storage
    relayer: Address
    token: int

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a database transaction that only the current holder of the lease can open.

        Raises:
            LeaseLost: Another relayer has taken over the key.
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
        """Extend the lease.

        Args:
            seconds: How long it lasts from now.

        Raises:
            LeaseLost: Another relayer has taken over the key.
            Unavailable: The database cannot be used.
        """
        with self.write() as connection:
            connection.execute(
                update(LEASES)
                .where(LEASES.c.relayer == self.relayer)
                .values(expires_at=database_time(connection) + seconds)
            )

    def release(self) -> None:
        """End the lease, so that another relayer can take over at once. Does nothing if one already has."""
        with self.storage.write() as connection:
            connection.execute(
                update(LEASES)
                .where(LEASES.c.relayer == self.relayer, LEASES.c.token == self.token)
                .values(expires_at=0.0, token=self.token + 1)
            )


def take(storage: Storage, relayer: Address, holder: str, seconds: float) -> Lease | None:
    """Take the lease of a key, unless another holder has it.

    Args:
        storage: The database.
        relayer: The key's account.
        holder: The holder's name. A process with the same name counts as the same holder after a crash, so only one
            process at a time may use a name.
        seconds: How long the lease lasts from now.

    Returns:
        The lease; None if another holder has it.

    Raises:
        Unavailable: The database cannot be used.
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
    """Return the account whose key was leased last, for processes without a key; None if no key was ever leased.

    Raises:
        Unavailable: The database cannot be used.
    """
    latest = select(LEASES.c.relayer).order_by(LEASES.c.expires_at.desc()).limit(1)
    with storage.read() as connection:
        relayer: Address | None = connection.execute(latest).scalar_one_or_none()
    return relayer


def database_time(connection: Connection) -> ColumnElement[float]:
    """Return an SQL expression for the time of the database's clock, Unix seconds. All processes share that clock."""
    if connection.dialect.name == "postgresql":
        return extract("epoch", func.clock_timestamp()).cast(Double)
    return literal_column("(julianday('now') - 2440587.5) * 86400.0", Double)
