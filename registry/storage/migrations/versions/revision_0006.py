"""One receipt for an effect that was there before its message was handed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; existing receipts have none."""
    op.add_column(
        "receipts",
        sa.Column(
            "effect",
            sa.LargeBinary(),
            nullable=True,
            comment="Which log it was answered for, where it was done before; one effect has one receipt.",
        ),
    )
    op.create_index("ix_receipts_effect", "receipts", ["effect"], unique=True)
