"""Publication is a signed relation of dataset, version and document; owners may close a dataset to requests.

Documents that are there already were kept by hash alone, sent by whoever had them: nothing is shown of them, and no
dataset is named by them, until the dataset's owner publishes them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables; delete the names from documents that were not published."""
    op.create_table(
        "statements",
        sa.Column("digest", sa.LargeBinary(), primary_key=True, comment="What was signed; a statement counts once."),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False, comment="JSON."),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signer", sa.LargeBinary(), nullable=False, comment="The owner then."),
        sa.Column("accepted_at", sa.Double(), nullable=False, comment="Unix seconds."),
        comment="Every statement that was accepted. Rows are never changed or deleted.",
    )
    op.create_index("ix_statements_dataset_id", "statements", ["dataset_id"])
    op.create_table(
        "publications",
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False, comment="The content root or the metadata hash."),
        sa.Column("kind", sa.String(8), nullable=False, comment="manifest or metadata."),
        sa.Column("published_at", sa.Double(), nullable=False, comment="Unix seconds."),
        sa.Column("published_by", sa.LargeBinary(), nullable=False, comment="The statement's digest."),
        sa.Column("retracted_at", sa.Double(), comment="Unix seconds; NULL: not taken back."),
        sa.Column("retracted_by", sa.LargeBinary(), comment="The statement's digest."),
        sa.Column("reason", sa.Text(), comment="The owner's, for taking it back."),
        sa.Column("withheld_at", sa.Double(), comment="Unix seconds; NULL: not withheld."),
        sa.Column("withheld_for", sa.Text(), comment="The operator's reason: law, order, case."),
        sa.PrimaryKeyConstraint("dataset_id", "version", "document"),
        comment="Which documents may be shown for which version: rows neither retracted nor withheld.",
    )
    op.create_index("ix_publications_document", "publications", ["document"])
    op.create_table(
        "changed_publications",
        sa.Column("dataset_id", sa.LargeBinary(), primary_key=True),
        comment="Datasets whose publications have changed, and whose name the index has not looked at since.",
    )
    op.create_table(
        "request_policies",
        sa.Column("dataset_id", sa.LargeBinary(), primary_key=True),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("statement", sa.LargeBinary(), nullable=False, comment="Its digest."),
    )
    op.drop_table("new_metadata")
    op.execute("DELETE FROM dataset_words")
    op.execute("UPDATE datasets SET name = NULL, name_key = NULL WHERE name IS NOT NULL")
