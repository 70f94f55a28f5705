"""A document's body comes last in its row, and receipts are found by the height of their block.

SQLite finds a column behind a large value by following all of the value's pages: the number of files in a manifest of
24 MB took 10 ms to read, for every dataset of a page.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Rewrite both tables of documents, so that PostgreSQL stores large values out of line; create the index."""
    op.create_index("ix_receipts_block_number", "receipts", ["block_number"])
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, columns in (
        ("metadata_documents", ("metadata_hash", "name", "description", "body")),
        ("manifests", ("content_root", "files", "bytes", "body")),
    ):
        with op.batch_alter_table(table, recreate="always", partial_reordering=[columns]):
            pass
