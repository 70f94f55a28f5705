"""Many rows at once, by the fastest way that each database has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection as PostgreSQLConnection
from sqlalchemy import Connection, Table


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
        with driver.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN'.encode()) as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', [*map(tuple, rows)])  # noqa: S608 - names are the tables' own
