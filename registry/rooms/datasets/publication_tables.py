"""The tables of publications: which documents of which version may be shown."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    FromClause,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    and_,
)

from registry.base.primitives import Bytes32, DatasetId
from registry.storage.columns import Fixed
from registry.storage.metadata import METADATA

PUBLICATIONS = Table(
    "publications",
    METADATA,
    Column("dataset_id", Fixed(DatasetId), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Fixed(Bytes32), nullable=False, comment="The content root or the metadata hash."),
    Column("kind", String(8), nullable=False, comment="manifest or metadata."),
    Column("published_at", Double, nullable=False, comment="Unix seconds."),
    Column("published_by", Fixed(Bytes32), nullable=False, comment="The statement's digest."),
    Column("retracted_at", Double, comment="Unix seconds; NULL: not taken back."),
    Column("retracted_by", Fixed(Bytes32), comment="The statement's digest."),
    Column("reason", Text, comment="The owner's, for taking it back."),
    Column("withheld_at", Double, comment="Unix seconds; NULL: not withheld."),
    Column("withheld_for", Text, comment="The operator's reason: law, order, case."),
    PrimaryKeyConstraint("dataset_id", "version", "document"),
    comment="Which documents may be shown for which version: rows neither retracted nor withheld.",
)
Index("ix_publications_document", PUBLICATIONS.c.document)

CHANGED_PUBLICATIONS = Table(
    "changed_publications",
    METADATA,
    Column("dataset_id", Fixed(DatasetId), primary_key=True),
    comment="Datasets whose publications have changed, and whose name the index has not looked at since.",
)

IS_PUBLIC = and_(PUBLICATIONS.c.retracted_at.is_(None), PUBLICATIONS.c.withheld_at.is_(None))
PUBLIC_METADATA = PUBLICATIONS.alias("public_metadata")
PUBLIC_MANIFESTS = PUBLICATIONS.alias("public_manifests")


def is_public(
    publications: FromClause,
    dataset_id: ColumnElement[DatasetId],
    version: ColumnElement[int],
    document: ColumnElement[Bytes32],
) -> ColumnElement[bool]:
    """Return the condition under which a document of a version may be shown: for a join with `publications`."""
    return and_(
        publications.c.dataset_id == dataset_id,
        publications.c.version == version,
        publications.c.document == document,
        publications.c.retracted_at.is_(None),
        publications.c.withheld_at.is_(None),
    )
