"""Open a database, and run the two kinds of transaction: reads of a single state, and writes.

SQLite: write-ahead log, each commit synced to the disk; a writer takes the lock at its beginning and waits for it.
PostgreSQL: readers see one snapshot; writers see committed data and take row locks where they need them.

The values of statements are kept out of error messages, and so out of logs: a message's salt must not be logged.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError

from registry.base.errors import InvalidInput
from registry.storage.errors import DRIVER_ERRORS, StorageUnavailable, translated

LOCK_SECONDS: Final = 30
CONNECT_SECONDS: Final = 5
CONNECTIONS: Final = 16
LOG_PAGES: Final = 8_000
"""The number of pages (4 KiB each) after which SQLite's log is written to the database. It is high because each
checkpoint costs syncs.
"""
CACHE_KIB: Final = 8_192
"""SQLite's page cache for a writing connection, at most: a large transaction should not spill to disk."""
READ_CACHE_KIB: Final = 2_048
"""The same for a reading connection: there are many of them, and they share the system's file cache."""

_IMMEDIATE: Final = "tdr_immediate"
_POOL: Final[dict[str, Any]] = {
    "hide_parameters": True,
    "pool_size": CONNECTIONS,
    "max_overflow": CONNECTIONS,
    "pool_timeout": LOCK_SECONDS,
}
"""How both kinds of database are opened."""


@dataclass(frozen=True, slots=True)
class Storage:
    """An open database.

    Args:
        name: Its URL without the password, for people.
        engine: SQLAlchemy's engine; use `read` and `write` instead.
    """

    name: str
    engine: Engine
    _reader: Engine
    _writer: Engine
    _turns: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def is_sqlite(self) -> bool:
        """Return whether it is SQLite; otherwise it is PostgreSQL."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database and, in PostgreSQL, cannot change it.

        Raises:
            StorageUnavailable: The database cannot be read now.
        """
        with self._transaction(self._reader) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is committed when the `with` block ends, and rolled back if an error leaves it.

        Raises:
            StorageFull: There is no space left.
            StorageUnavailable: The database cannot do it now. If `outcome_unknown` is set, the answer to the COMMIT was
                lost: check before doing it again.
        """
        with self._turn(), self._transaction(self._writer) as connection:
            yield connection

    def close(self) -> None:
        """Close all idle connections."""
        for engine in (self._reader, self._writer):
            engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for this process's other writers: SQLite itself lets a writer sleep up to 0.1 s, in no fair order."""
        is_taken = self.is_sqlite and self._turns.acquire(timeout=LOCK_SECONDS)
        try:
            yield
        finally:
            if is_taken:
                self._turns.release()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        committing = False
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                yield connection
                committing = engine is self._writer
                transaction.commit()
        except DRIVER_ERRORS as error:
            mine = translated(error, self.name, committing=committing)
            if mine is None:
                raise
            raise mine from error


def open_storage(url: str) -> Storage:
    """Open a database. `registry.storage.migrate` creates its tables.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``postgresql://user:password@host/name``.

    Raises:
        InvalidInput: The URL has another form.
        StorageUnavailable: The database cannot be opened.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # The URL is not repeated, because it may contain a password.
        raise InvalidInput("The database URL is not a URL.", hint="Example: sqlite:///registry.db") from None
    name = parsed.render_as_string(hide_password=True)
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            reader, writer = (_sqlite_engine(parsed, cache) for cache in (READ_CACHE_KIB, CACHE_KIB))
            storage = Storage(name, writer, reader, writer.execution_options(**{_IMMEDIATE: True}))
        case "postgresql":
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                **_POOL,
                connect_args={
                    "connect_timeout": CONNECT_SECONDS,
                    "application_name": "tdr",
                    "options": f"-c lock_timeout={LOCK_SECONDS * 1000} -c timezone=UTC",
                },
            )
            event.listen(engine, "handle_error", _drop_detail)
            reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            storage = Storage(name, engine, reader, engine.execution_options())
        case _:
            raise InvalidInput(
                f"The database {name} is neither an SQLite file nor PostgreSQL.",
                hint="Examples: sqlite:///registry.db, postgresql://user@host/registry",
            )
    with storage.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return storage


def _sqlite_engine(url: URL, cache_kib: int) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite"),
        **_POOL,
        pool_use_lifo=True,  # Idle connections should not keep caches filled.
        # A cached statement keeps its values too, for example the last manifest that was stored.
        connect_args={"timeout": LOCK_SECONDS, "cached_statements": 0},
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, cache_kib=cache_kib))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _drop_detail(context: ExceptionContext) -> None:
    """Remove PostgreSQL's DETAIL from an error, because it repeats whole rows."""
    cause, error = context.original_exception, context.sqlalchemy_exception
    if isinstance(cause, psycopg.Error) and cause.diag.message_detail:
        cause.args = (cause.diag.message_primary,)
        if error is not None:
            error.args = cause.args


def _prepare_sqlite(connection: sqlite3.Connection, record: Any, *, cache_kib: int) -> None:
    connection.isolation_level = None  # Only `_begin_sqlite` begins transactions.
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")


def _enter_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for the lock here, so if two processes create the database at once, one must retry.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise StorageUnavailable(
                "The file system under the SQLite database has no shared memory for its write-ahead log.",
                hint="Put the database on a local disk.",
            )
        return


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
