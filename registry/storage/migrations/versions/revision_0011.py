"""Events are about a subject, and the index knows its contracts by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_COMMENTS = {
    "COLUMN events.kind": "The number that its room gives its type.",
    "COLUMN events.subject_id": "The id of what it is about.",
    "COLUMN events.account": "The account that it is about too; zero for none.",
    "COLUMN events.head": "The head of its subject after it; NULL where it changes none.",
    "TABLE index_blocks": "The last blocks, among which the common ancestor is looked for after a reorganisation.",
}


def upgrade() -> None:
    """Rename the column, and move the addresses from columns into rows."""
    op.create_table(
        "index_contracts",
        sa.Column("name", sa.String(64), primary_key=True, comment="Its name in Solidity."),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        comment="The contracts whose events are here.",
    )
    for name, column in (("DatasetRegistry", "registry"), ("AccessGrants", "grants")):
        op.execute(f"INSERT INTO index_contracts (name, address) SELECT '{name}', {column} FROM index_state")  # noqa: S608
    for column in ("registry", "grants", "from_block"):
        op.drop_column("index_state", column)
    op.drop_index("ix_events_dataset_id_account_position", "events")
    op.alter_column("events", "dataset_id", new_column_name="subject_id")
    if op.get_bind().dialect.name == "postgresql":
        for place, comment in _COMMENTS.items():
            op.execute(f"COMMENT ON {place} IS '{comment}'")
    op.create_index("ix_events_subject_id_account_position", "events", ["subject_id", "account", "position"])
