"""The database's own clock: one clock for all processes that write to it."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func


def database_time(connection: Connection) -> ColumnElement[int]:
    """Return an expression for the present by the database's clock, Unix seconds, UTC."""
    if connection.dialect.name == "postgresql":
        return cast(func.floor(func.extract("epoch", func.clock_timestamp())), BigInteger)
    return cast(func.strftime("%s", "now"), BigInteger)
