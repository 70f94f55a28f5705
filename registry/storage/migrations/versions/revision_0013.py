"""Events in the index hold their number in the outbox themselves; they have no second row there any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_COMMENTS = {
    "TABLE events": "The events of the chain, as far as the index has read it.",
    "COLUMN outbox.seq": "From 1; with those of events without gaps.",
    "TABLE outbox": "What happened, besides the events that are in the index.",
}


def upgrade() -> None:
    """Give each event the number of its entry, and delete that entry. All other entries stay."""
    # Added, not written again: there may be millions of events. SQLite needs a default for a new column and keeps it;
    # no row is inserted without a value.
    for name, comment in (
        ("seq", "Its number in the outbox."),
        ("written_at", "Unix seconds, by the database's clock."),
    ):
        op.add_column("events", sa.Column(name, sa.BigInteger, nullable=False, server_default="0", comment=comment))
    op.execute(
        "UPDATE events SET seq = outbox.seq, written_at = outbox.written_at FROM outbox WHERE outbox.entry = 0"
        " AND outbox.is_standing AND outbox.position = events.position AND outbox.block_hash = events.block_hash"
    )
    op.create_index("ix_events_seq", "events", ["seq"], unique=True)
    op.execute("DELETE FROM outbox WHERE entry = 0 AND is_standing AND seq IN (SELECT seq FROM events)")
    if op.get_bind().dialect.name == "postgresql":
        for name in ("seq", "written_at"):
            op.alter_column("events", name, server_default=None)
        for place, comment in _COMMENTS.items():
            op.execute(f"COMMENT ON {place} IS '{comment}'")
