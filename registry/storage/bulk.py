"""Insert many rows at once, in the fastest way of each database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection as PostgreSQLConnection
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, SmallInteger, String, Table


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of values that the drivers take unchanged: int, str, bytes (also FixedBytes), bool, None.

    Args:
        connection: A connection in a writing transaction.
        table: The table.
        columns: The names of the columns in `rows`; the others take their defaults.
        rows: One value per column.
    """
    if not rows:
        return
    names = ", ".join(f'"{table.c[name].name}"' for name in columns)
    driver = connection.connection.driver_connection
    if isinstance(driver, PostgreSQLConnection):
        cursor = driver.cursor()
        # By the type's name psycopg would find the dumper of its class Binary, which is not in C.
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'.encode()) as copy:
            copy.set_types([_postgresql_type(table.c[name]) for name in columns])
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', [*map(tuple, rows)])  # noqa: S608 - names are the tables' own


def _postgresql_type(column: Column[Any]) -> str:
    """Return the name of a column's type; binary COPY accepts no other type."""
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
