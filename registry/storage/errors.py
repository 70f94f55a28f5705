"""Database errors, translated into this package's errors."""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.base.errors import Unavailable


class StorageUnavailable(Unavailable):
    """The database cannot be reached or cannot do its work now.

    Args:
        message: One sentence: what happened.
        hint: What the reader can do about it.
        outcome_unknown: Whether the answer to a COMMIT was lost, so that only reading can tell whether it took effect.
    """

    def __init__(self, message: str, *, hint: str = "", outcome_unknown: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.outcome_unknown = outcome_unknown


class StorageFull(StorageUnavailable):
    """There is no space left for writing. Reading still works."""


_SQLITE_FULL: Final = {sqlite3.SQLITE_FULL}
_SQLITE_UNAVAILABLE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}
_POSTGRESQL_FULL: Final = {"53100"}
_POSTGRESQL_UNAVAILABLE: Final = ("08", "25006", "40", "53", "55", "57", "58", "XX")
"""Classes: connection, read-only, rollback, resources, locks, intervention, system error, internal error.

Source: PostgreSQL 15, appendix A.
"""

DRIVER_ERRORS: Final = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
"""The errors that a database call may raise."""

DUPLICATE_ERRORS: Final = (IntegrityError, psycopg.IntegrityError)
"""The errors raised where a key forbids a row. The transaction must be rolled back."""


def translated(error: Exception, name: str, *, committing: bool = False) -> StorageUnavailable | None:
    """Return the error to raise for a driver's error.

    Args:
        error: One of `DRIVER_ERRORS`.
        name: The database's name for people, without its password.
        committing: Whether it was the answer to a COMMIT.

    Returns:
        The error, or None if the fault is the caller's: a violated constraint or a wrong statement.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    full = unavailable = False
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        full, unavailable = code in _SQLITE_FULL, code in _SQLITE_UNAVAILABLE
    elif isinstance(cause, psycopg.Error):
        state = cause.sqlstate
        full = state in _POSTGRESQL_FULL
        unavailable = (
            isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
            if state is None
            else state.startswith(_POSTGRESQL_UNAVAILABLE)
        )
    elif isinstance(cause, PoolTimeout):
        unavailable = True
    if full:
        return StorageFull(
            f"The database {name} has no space left.",
            hint="Free space on its disk. Acknowledged data is safe, and reading still works.",
            outcome_unknown=committing,
        )
    if unavailable or lost or committing:
        reason = " ".join(str(cause).split())[:300]
        return StorageUnavailable(
            f"The database {name} cannot do its work now: {reason}.",
            hint="Check that it is running and reachable, and that its disk is healthy.",
            outcome_unknown=committing,
        )
    return None
