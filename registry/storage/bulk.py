"""Many rows at once, by the fastest way that each database has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection as PostgreSQLConnection
from sqlalchemy import Connection, Table

from registry.storage.columns import Fixed


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
            fixed = [index for index, name in enumerate(columns) if isinstance(table.c[name].type, Fixed)]
            for row in rows:
                # The driver looks its adapter up by type: subclasses of bytes go in as bytes.
                plain = list(row)
                for index in fixed:
                    plain[index] = None if plain[index] is None else bytes(plain[index])
                copy.write_row(plain)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', [*map(tuple, rows)])  # noqa: S608 - names are the tables' own
