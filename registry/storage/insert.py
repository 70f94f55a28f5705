"""Inserting a row that may be there already."""

from __future__ import annotations

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that does nothing where a unique key of the table would forbid it. Whether it did, a RETURNING says.

    In PostgreSQL it waits for another transaction that is inserting the same; what that committed can be read then.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
