"""The table of the timers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from registry.storage.metadata import METADATA

TIMERS = Table(
    "timers",
    METADATA,
    Column("name", String(64), primary_key=True, comment="Which handler it calls."),
    Column("key", String(200), primary_key=True, comment="Which one of that name."),
    Column("due_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("position", BigInteger, comment="The event that it follows from; NULL where it follows from none."),
    Column("payload", Text, comment="What the handler is given."),
    Column("done_at", BigInteger, comment="When it fired, Unix seconds; NULL while it is pending."),
    Column("failures", Integer, nullable=False, server_default="0", comment="How often its handler has failed."),
    Column("retry_at", BigInteger, comment="Not before, after a failure; Unix seconds."),
    comment="Due dates.",
    sqlite_with_rowid=False,  # One tree less to write.
)
Index(
    "ix_timers_due_at",
    TIMERS.c.due_at,
    sqlite_where=TIMERS.c.done_at.is_(None),
    postgresql_where=TIMERS.c.done_at.is_(None),
)
Index(
    "ix_timers_position",
    TIMERS.c.position,
    sqlite_where=TIMERS.c.position.is_not(None),
    postgresql_where=TIMERS.c.position.is_not(None),
)
