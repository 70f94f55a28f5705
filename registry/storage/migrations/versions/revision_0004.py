"""The index's keys are SQLite's own row numbers: one tree less for each table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEYS = {"index_blocks": "number", "events": "position", "versions": "position", "grants": "position"}


def upgrade() -> None:
    """Rebuild the tables with their content. PostgreSQL needs no change."""
    if op.get_context().dialect.name != "sqlite":
        return
    for table, key in KEYS.items():
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.alter_column(key, existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=False)
