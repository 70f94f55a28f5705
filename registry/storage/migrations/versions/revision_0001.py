"""The index and the documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "dataset_words",
        sa.Column("word", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="The dataset's."),
        sa.PrimaryKeyConstraint("word", "position", name=op.f("pk_dataset_words")),
        comment="The words of the datasets' names.",
    )
    op.create_index("ix_dataset_words_position", "dataset_words", ["position"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="Of its registration."),
        sa.Column("registered_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("first_owner", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_root", sa.LargeBinary(), nullable=False),
        sa.Column("metadata_hash", sa.LargeBinary(), nullable=False),
        sa.Column("uri", sa.LargeBinary(), nullable=False),
        sa.Column(
            "sources", sa.LargeBinary(), nullable=False, comment="35 bytes each: the dataset's id, then the version."
        ),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False, comment="Of the latest version."),
        sa.Column("updated_position", sa.BigInteger(), nullable=False, comment="Of its latest event."),
        sa.Column("updated_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True, comment="Why it was withdrawn."),
        sa.Column(
            "name",
            sa.String(length=500),
            nullable=True,
            comment="From the latest version's metadata, if that is kept here.",
        ),
        sa.Column(
            "name_key", sa.String(length=200), nullable=True, comment="The name without regard to case and width."
        ),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("position", name=op.f("uq_datasets_position")),
    )
    op.create_index("ix_datasets_is_withdrawn_position", "datasets", ["is_withdrawn", "position"], unique=False)
    op.create_index("ix_datasets_metadata_hash", "datasets", ["metadata_hash"], unique=False)
    op.create_index(
        "ix_datasets_name_key_position",
        "datasets",
        ["name_key", "position"],
        unique=False,
        sqlite_where=sa.text("name_key IS NOT NULL"),
        postgresql_where=sa.text("name_key IS NOT NULL"),
    )
    op.create_index("ix_datasets_owner_position", "datasets", ["owner", "position"], unique=False)
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False, comment="The block's time, Unix seconds."),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="registry.index.events.Kind."),
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column(
            "account", sa.LargeBinary(), nullable=False, comment="The grantee; zero for events of the dataset itself."
        ),
        sa.Column(
            "head", sa.LargeBinary(), nullable=True, comment="The dataset's head after it; NULL for events of access."
        ),
        sa.Column("topics", sa.LargeBinary(), nullable=False, comment="The log's topics, one behind the other."),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="The log's data."),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_dataset_id_account_position", "events", ["dataset_id", "account", "position"], unique=False
    )
    op.create_table(
        "grants",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column("grantee", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("rights", sa.BigInteger(), nullable=False, comment="One bit a right."),
        sa.Column("starts_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("terms_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "ended_position",
            sa.BigInteger(),
            nullable=True,
            comment="Of the revocation or the grant that took its place.",
        ),
        sa.Column("ended_at", sa.BigInteger(), nullable=True, comment="Unix seconds."),
        sa.Column("is_revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_grants")),
    )
    op.create_index("ix_grants_dataset_id_grantee_epoch", "grants", ["dataset_id", "grantee", "epoch"], unique=True)
    op.create_index("ix_grants_dataset_id_position", "grants", ["dataset_id", "position"], unique=False)
    op.create_index(
        "ix_grants_ended_position",
        "grants",
        ["ended_position"],
        unique=False,
        sqlite_where=sa.text("ended_position IS NOT NULL"),
        postgresql_where=sa.text("ended_position IS NOT NULL"),
    )
    op.create_table(
        "index_blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_index_blocks")),
        comment="The last blocks, among which the common ancestor is sought when the chain has changed its mind.",
    )
    op.create_table(
        "index_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1: there is one row."),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(), nullable=False),
        sa.Column("registry", sa.LargeBinary(), nullable=False),
        sa.Column("grants", sa.LargeBinary(), nullable=False),
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column(
            "height",
            sa.BigInteger(),
            nullable=False,
            comment="All events up to this block are here, and none behind it.",
        ),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("block_time", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("final_height", sa.BigInteger(), nullable=False, comment="Never above the height."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_state")),
    )
    op.create_table(
        "manifest_files",
        sa.Column("content_root", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="The leaf's index in the tree."),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("content_root", "number", name=op.f("pk_manifest_files")),
    )
    op.create_index("ix_manifest_files_sha256", "manifest_files", ["sha256", "content_root"], unique=False)
    op.create_table(
        "manifests",
        sa.Column("content_root", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="The text form tdr-manifest/1."),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True, comment="The sum of the sizes, where they are known."),
        sa.PrimaryKeyConstraint("content_root", name=op.f("pk_manifests")),
    )
    op.create_table(
        "metadata_documents",
        sa.Column("metadata_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the body."),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="Canonical JSON (RFC 8785), UTF-8."),
        sa.Column("name", sa.String(length=500), nullable=True, comment='Its "name", if that is a string.'),
        sa.Column("description", sa.Text(), nullable=True, comment='Its "description", if that is a string.'),
        sa.PrimaryKeyConstraint("metadata_hash", name=op.f("pk_metadata_documents")),
    )
    op.create_table(
        "new_metadata",
        sa.Column("metadata_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("metadata_hash", name=op.f("pk_new_metadata")),
        comment="Metadata that came in and whose name the index has not looked at yet.",
    )
    op.create_table(
        "sources",
        sa.Column("source_id", sa.LargeBinary(), nullable=False),
        sa.Column("source_version", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="Of the version that derives."),
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False, comment="The dataset that derives."),
        sa.PrimaryKeyConstraint("source_id", "source_version", "position", name=op.f("pk_sources")),
    )
    op.create_index("ix_sources_position", "sources", ["position"], unique=False)
    op.create_table(
        "versions",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_root", sa.LargeBinary(), nullable=False),
        sa.Column("metadata_hash", sa.LargeBinary(), nullable=False),
        sa.Column("claimant", sa.LargeBinary(), nullable=False, comment="The owner at that time."),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_versions")),
    )
    op.create_index("ix_versions_content_root_position", "versions", ["content_root", "position"], unique=False)
    op.create_index("ix_versions_dataset_id_number", "versions", ["dataset_id", "number"], unique=True)
    op.create_index("ix_versions_metadata_hash_position", "versions", ["metadata_hash", "position"], unique=False)
