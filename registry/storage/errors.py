"""What can befall a database, in words of this package."""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.base.errors import Unavailable


class StorageUnavailable(Unavailable):
    """The database cannot be reached, or cannot do its work now.

    Args:
        message: One sentence: what happened.
        hint: What the reader can do about it.
        outcome_unknown: True where the answer to a COMMIT was lost: the transaction may or may not have been carried
            out, and only looking can tell.
    """

    def __init__(self, message: str, *, hint: str = "", outcome_unknown: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.outcome_unknown = outcome_unknown


class StorageFull(StorageUnavailable):
    """There is no room left to write; reading still works."""


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
"""What may come out of a database call."""

DUPLICATE_ERRORS: Final = (IntegrityError, psycopg.IntegrityError)
"""What comes out where a key forbids a row; the transaction must be rolled back."""


def translated(error: Exception, name: str, *, committing: bool = False) -> StorageUnavailable | None:
    """The error in this package's words.

    Args:
        error: One of `DRIVER_ERRORS`.
        name: The database's name for people, without its password.
        committing: Whether it came as the answer to a COMMIT.

    Returns:
        The error to raise, or None if the fault is the caller's: a violated constraint or a wrong statement.
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
            f"The database {name} has no room left to write.",
            hint="Make room on its disk; nothing that was acknowledged is lost, and reading still works.",
            outcome_unknown=committing,
        )
    if unavailable or lost or committing:
        told = " ".join(str(cause).split())[:300]
        return StorageUnavailable(
            f"The database {name} cannot do its work now: {told}.",
            hint="Check that it runs, can be reached, and that its disk is sound.",
            outcome_unknown=committing,
        )
    return None
