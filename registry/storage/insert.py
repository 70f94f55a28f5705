"""Insert a row that may already exist."""

from __future__ import annotations

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_new(connection: Connection, table: Table) -> Insert:
    """Return an INSERT that does nothing if a unique key of the table forbids it. Use RETURNING to see whether it
    inserted.

    In PostgreSQL it waits for another transaction that is inserting the same row, and then sees its committed row.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
