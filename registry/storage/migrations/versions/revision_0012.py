"""The outbox and the timers, filled from what the index holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_SHARED = "position, block_hash, timestamp, transaction_hash, subject_id, account"
_LAST_SECOND = 253_402_300_799


def upgrade() -> None:
    """Create both tables. The events that are indexed become the first entries, and the open grants get timers."""
    _create_outbox()
    _create_timers()
    _fill()


def _create_outbox() -> None:
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "outbox",
        sa.Column("seq", key, primary_key=True, autoincrement=False, comment="From 1, without gaps."),
        sa.Column("entry", sa.SmallInteger, nullable=False, comment="0: event, 1: retraction, 2: due."),
        sa.Column("retracts", sa.BigInteger, comment="The entry that a retraction takes back."),
        sa.Column(
            "is_standing", sa.Boolean, nullable=False, comment="Whether it is an event or due entry not taken back."
        ),
        sa.Column(
            "position", sa.BigInteger, nullable=False, comment="Of the event; for a due entry, of what set its date."
        ),
        sa.Column("block_hash", sa.LargeBinary, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False, comment="The block's time, Unix seconds."),
        sa.Column("transaction_hash", sa.LargeBinary, nullable=False),
        sa.Column("subject_id", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.LargeBinary, nullable=False, comment="Zero for none."),
        sa.Column("written_at", sa.BigInteger, nullable=False, comment="Unix seconds, by the database's clock."),
        sa.Column("kind", sa.SmallInteger, comment="Of an event: the number of its type."),
        sa.Column("topics", sa.LargeBinary, comment="Of an event: the log's topics, one behind the other."),
        sa.Column("data", sa.LargeBinary, comment="Of an event: the log's data."),
        sa.Column("name", sa.String(64), comment="Of a due entry: what is due."),
        sa.Column("subject_kind", sa.String(32), comment="Of a due entry."),
        sa.Column("values", sa.Text, comment="Of a due entry: JSON."),
        comment="What happened, in the order in which this database learned of it.",
    )
    op.create_index("ix_outbox_position", "outbox", ["position"])


def _create_timers() -> None:
    op.create_table(
        "timers",
        sa.Column("name", sa.String(64), primary_key=True, comment="Which handler it calls."),
        sa.Column("key", sa.String(200), primary_key=True, comment="Which one of that name."),
        sa.Column("due_at", sa.BigInteger, nullable=False, comment="Unix seconds."),
        sa.Column(
            "position", sa.BigInteger, comment="The event that it follows from; NULL where it follows from none."
        ),
        sa.Column("payload", sa.Text, comment="What the handler is given."),
        sa.Column("done_at", sa.BigInteger, comment="When it fired, Unix seconds; NULL while it is pending."),
        sa.Column(
            "failures", sa.Integer, nullable=False, server_default="0", comment="How often its handler has failed."
        ),
        sa.Column("retry_at", sa.BigInteger, comment="Not before, after a failure; Unix seconds."),
        comment="Due dates.",
        sqlite_with_rowid=False,
    )
    for column, condition in (("due_at", "done_at IS NULL"), ("position", "position IS NOT NULL")):
        where = sa.text(condition)
        op.create_index(f"ix_timers_{column}", "timers", [column], sqlite_where=where, postgresql_where=where)


def _fill() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    now = "CAST(extract(epoch FROM now()) AS bigint)" if is_postgresql else "CAST(strftime('%s', 'now') AS integer)"
    op.execute(
        f"INSERT INTO outbox (seq, entry, is_standing, {_SHARED}, written_at, kind, topics, data)"  # noqa: S608
        f" SELECT row_number() OVER (ORDER BY position), 0, true, {_SHARED}, {now}, kind, topics, data FROM events"
    )
    op.execute(
        "INSERT INTO timers (name, key, due_at, position)"  # noqa: S608
        " SELECT 'access-expiry', CAST(position AS varchar), expires_at, position FROM grants"
        f" WHERE expires_at <= {_LAST_SECOND} AND (ended_position IS NULL OR ended_at >= expires_at)"
    )
