"""Migrate a database's tables to the schema of this version."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, text

from registry.base.errors import Conflict
from registry.storage.engine import Storage
from registry.storage.metadata import METADATA

SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x7464725F6D696772  # "tdr_migr"


def migrate(storage: Storage, revision: str = "head") -> None:
    """Apply the missing migrations, all of them or none. Several processes may do so at once.

    Args:
        storage: The database.
        revision: The target; the newest by default.

    Raises:
        Conflict: A newer version of this program has migrated the database.
        StorageUnavailable: The database cannot do it now.
    """
    with storage.write() as connection:
        if not storage.is_sqlite:  # In SQLite the transaction itself holds the lock.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = configuration(connection)
        present = revision_of(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if present is not None and present not in known:
            raise Conflict(
                f"The database {storage.name} belongs to a newer version of this program (revision {present}).",
                hint="Use that version, or another database.",
            )
        command.upgrade(config, revision)


def create_tables_of_others(storage: Storage, tables: Iterable[Table]) -> None:
    """Create the missing ones among some tables without a migration here, such as those of a room from outside.

    Args:
        storage: The database, migrated.
        tables: The tables; those of this program are skipped.

    Raises:
        StorageUnavailable: The database cannot do it now.
    """
    with storage.write() as connection:
        for table in tables:
            if table.metadata is not METADATA:
                table.create(connection, checkfirst=True)


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for one connection."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the database's tables; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()
