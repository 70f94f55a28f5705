"""The table of accepted statements."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
)

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.storage.columns import Fixed
from registry.storage.metadata import METADATA

STATEMENTS = Table(
    "statements",
    METADATA,
    Column("digest", Fixed(Bytes32), primary_key=True, comment="What was signed; a statement counts once."),
    Column("kind", String(32), nullable=False),
    Column("dataset_id", Fixed(DatasetId), nullable=False),
    Column("message", Text, nullable=False, comment="JSON."),
    Column("signature", LargeBinary, nullable=False),
    Column("signer", Fixed(Address), nullable=False, comment="The owner then."),
    Column("accepted_at", Double, nullable=False, comment="Unix seconds."),
    comment="Every statement that was accepted. Rows are never changed or deleted.",
)
Index("ix_statements_dataset_id", STATEMENTS.c.dataset_id)
