"""Locks on values, for decisions that rest on rows which another transaction may be about to write."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, func, select


def lock_values(connection: Connection, purpose: str, values: Iterable[bytes]) -> None:
    """Lock values until the transaction ends; wait for those that another one has locked for the same purpose.

    In PostgreSQL, where writers overlap, a statement that follows sees what the other one committed. In SQLite a
    transaction that writes has the database to itself already.

    Args:
        connection: In a transaction that writes, which has not yet written what is decided about.
        purpose: What they are locked for.
        values: The values. They are locked in one order everywhere, so that nobody waits in a circle.
    """
    if connection.dialect.name != "postgresql":
        return
    keys = {sha256(purpose.encode() + b"\0" + value).digest()[:8] for value in values}
    for key in sorted(int.from_bytes(key, "big", signed=True) for key in keys):
        connection.execute(select(func.pg_advisory_xact_lock(key)))
