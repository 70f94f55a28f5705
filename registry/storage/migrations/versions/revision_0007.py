"""How much gas was promised in which hour, and to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "gas_spent",
        sa.Column("hour", sa.BigInteger(), nullable=False, comment="Unix seconds divided by 3600."),
        sa.Column(
            "scope", sa.String(128), nullable=False, comment="Whose gas: everybody's, an account's, or a dataset's."
        ),
        sa.Column(
            "gas",
            sa.BigInteger(),
            nullable=False,
            comment="The most that the messages accepted in that hour may use.",
        ),
        sa.PrimaryKeyConstraint("hour", "scope", name="pk_gas_spent"),
    )
