"""The checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "checkpoints",
        sa.Column("height", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("cosignatures", sa.Integer(), nullable=False, comment="How many witnesses cosigned."),
        sa.Column("note", sa.Text(), nullable=False, comment="The signed note."),
        sa.PrimaryKeyConstraint("height", name=op.f("pk_checkpoints")),
    )
    op.create_index(op.f("ix_checkpoints_cosignatures_height"), "checkpoints", ["cosignatures", "height"], unique=False)
    op.create_table(
        "checkpoint_keys",
        sa.Column("key", sa.String(length=400), nullable=False, comment="A public key of this node or of a witness."),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_checkpoint_keys")),
    )
    op.create_table(
        "checkpoint_alarms",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the two statements' texts."),
        sa.Column("reporter", sa.String(length=200), nullable=False, comment="Who raised it: the name of a key."),
        sa.Column("reported_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False, comment="The note, or what was followed."),
        sa.Column("theirs", sa.Text(), nullable=False, comment="The note against it, or what is there now."),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoint_alarms")),
        sa.UniqueConstraint("digest", name=op.f("uq_checkpoint_alarms_digest")),
    )
