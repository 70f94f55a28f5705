"""Many rows at once, by the fastest way that each database has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection as PostgreSQLConnection
from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, SmallInteger, String, Table


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Inserts rows whose values the drivers take as they are: int, str, bytes (also FixedBytes), bool, None.

    Args:
        connection: In a transaction that writes.
        table: Where to.
        columns: The names of the columns that are given; the others take their defaults.
        rows: One value a column.
    """
    if not rows:
        return
    names = ", ".join(f'"{table.c[name].name}"' for name in columns)
    driver = connection.connection.driver_connection
    if isinstance(driver, PostgreSQLConnection):
        with driver.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'.encode()) as copy:
            copy.set_types([_postgresql_type(table.c[name]) for name in columns])
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', [*map(tuple, rows)])  # noqa: S608 - names are the tables' own


def _postgresql_type(column: Column[Any]) -> str:
    """The name of a column's type: in its binary form COPY takes no other."""
    match column.type:
        case BigInteger():
            return "int8"
        case SmallInteger():
            return "int2"
        case Integer():
            return "int4"
        case Boolean():
            return "bool"
        case String():  # Also Text.
            return "text"
        case _:
            return "bytea"
