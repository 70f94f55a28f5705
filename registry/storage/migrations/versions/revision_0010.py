"""Contracts by name, and receipts about any kind of subject.

Until now a deployment had two contracts, in columns, and every receipt was about a dataset.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

FORMER_CONTRACTS = {"registry": "DatasetRegistry", "grants": "AccessGrants"}


def upgrade() -> None:
    """Move the contracts to a table of their own; give every receipt the subject that its dataset is."""
    _move_contracts()
    _give_receipts_subjects()


def _move_contracts() -> None:
    op.create_table(
        "deployment_contracts",
        sa.Column("name", sa.String(64), nullable=False, comment="The contract's name in Solidity."),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column(
            "block_number",
            sa.BigInteger(),
            nullable=False,
            comment="The contract has logged nothing below this height.",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deployment_contracts")),
    )
    former = sa.table("deployment", *(sa.column(name) for name in (*FORMER_CONTRACTS, "block_number")))
    present = sa.table("deployment_contracts", sa.column("name"), sa.column("address"), sa.column("block_number"))
    for column, name in FORMER_CONTRACTS.items():
        rows = sa.select(sa.literal(name), former.c[column], former.c.block_number).where(former.c[column].is_not(None))
        op.execute(present.insert().from_select(["name", "address", "block_number"], rows))
    with op.batch_alter_table("deployment") as batch:
        for column in (*FORMER_CONTRACTS, "block_number"):
            batch.drop_column(column)


def _give_receipts_subjects() -> None:
    # Renamed and added, not written again: there may be millions of receipts. SQLite needs a default for the new
    # column and keeps it; no row is inserted without a value.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("ALTER TABLE receipts RENAME COLUMN dataset_id TO subject_id")
    else:
        op.alter_column(
            "receipts", "dataset_id", new_column_name="subject_id", comment="The id of what the message is about."
        )
    op.add_column(
        "receipts",
        sa.Column(
            "subject_kind",
            sa.String(32),
            nullable=False,
            server_default="dataset",
            comment="The kind of what the message is about.",
        ),
    )
    if not is_sqlite:
        op.alter_column("receipts", "subject_kind", server_default=None)
