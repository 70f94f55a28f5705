"""The tables of documents. The body is the last column: SQLite must read all of it to reach a column behind it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Table, Text

from registry.base.primitives import Bytes32
from registry.storage.columns import Fixed
from registry.storage.metadata import METADATA

METADATA_DOCUMENTS = Table(
    "metadata_documents",
    METADATA,
    Column("metadata_hash", Fixed(Bytes32), primary_key=True, comment="SHA-256 of the body."),
    Column("name", String(500), comment='Its "name", if that is a string.'),
    Column("description", Text, comment='Its "description", if that is a string.'),
    Column("body", LargeBinary, nullable=False, comment="Canonical JSON (RFC 8785), UTF-8."),
)

MANIFESTS = Table(
    "manifests",
    METADATA,
    Column("content_root", Fixed(Bytes32), primary_key=True),
    Column("files", Integer, nullable=False),
    Column("bytes", BigInteger, comment="The sum of the sizes, where they are known."),
    Column("body", LargeBinary, nullable=False, comment="The text form tdr-manifest/1."),
)

MANIFEST_FILES = Table(
    "manifest_files",
    METADATA,
    Column("content_root", Fixed(Bytes32), nullable=False),
    Column("number", Integer, nullable=False, comment="The leaf's index in the tree."),
    Column("sha256", Fixed(Bytes32), nullable=False),
    Column("path", Text, nullable=False),
    PrimaryKeyConstraint("content_root", "number"),
)
Index("ix_manifest_files_sha256", MANIFEST_FILES.c.sha256, MANIFEST_FILES.c.content_root)
