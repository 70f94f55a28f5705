"""Locks on values, for decisions that depend on rows another transaction may be about to write."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, func, select


def lock_values(connection: Connection, purpose: str, values: Iterable[bytes]) -> None:
    """Lock values until the transaction ends. Wait for values that another transaction has locked for the same purpose.

    In PostgreSQL, where writers overlap, later statements see what the other transaction committed. In SQLite a writing
    transaction already has the database to itself.

    Args:
        connection: A connection in a writing transaction that has not yet written the rows to be decided about.
        purpose: The purpose of the lock.
        values: The values. They are locked in one global order, so that no deadlock can occur.
    """
    if connection.dialect.name != "postgresql":
        return
    keys = {sha256(purpose.encode() + b"\0" + value).digest()[:8] for value in values}
    for key in sorted(int.from_bytes(key, "big", signed=True) for key in keys):
        connection.execute(select(func.pg_advisory_xact_lock(key)))
