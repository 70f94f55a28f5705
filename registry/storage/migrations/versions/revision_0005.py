"""What an idempotency key was used for: the whole of the body, not its message alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; it is unknown for existing keys."""
    op.add_column(
        "idempotency_keys",
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="SHA-256 of what it was used for; NULL: not known."),
    )
