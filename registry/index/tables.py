"""The tables of the index.

A *position* is a place on the chain as one number: the block's height times 2**20, plus the log's index in its block.
Every row knows the position it came from, so that going back to a height is to delete what lies behind it.
Texts from the chain are kept as raw bytes: they need not be UTF-8, and PostgreSQL's text holds no NUL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
)

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.storage.columns import ROW_NUMBER, Fixed
from registry.storage.metadata import METADATA

STATE = Table(
    "index_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Always 1: there is one row."),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", Fixed(Bytes32), nullable=False),
    Column("registry", Fixed(Address), nullable=False),
    Column("grants", Fixed(Address), nullable=False),
    Column("from_block", BigInteger, nullable=False),
    Column("height", BigInteger, nullable=False, comment="All events up to this block are here, and none behind it."),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("block_time", BigInteger, nullable=False, comment="Unix seconds."),
    Column("final_height", BigInteger, nullable=False, comment="Never above the height."),
)

BLOCKS = Table(
    "index_blocks",
    METADATA,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("timestamp", BigInteger, nullable=False, comment="Unix seconds."),
    comment="The last blocks, among which the common ancestor is sought when the chain has changed its mind.",
)

EVENTS = Table(
    "events",
    METADATA,
    Column("position", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("timestamp", BigInteger, nullable=False, comment="The block's time, Unix seconds."),
    Column("transaction_hash", Fixed(Bytes32), nullable=False),
    Column("kind", SmallInteger, nullable=False, comment="registry.index.events.Kind."),
    Column("dataset_id", Fixed(DatasetId), nullable=False),
    Column("account", Fixed(Address), nullable=False, comment="The grantee; zero for events of the dataset itself."),
    Column("head", Fixed(Bytes32), comment="The dataset's head after it; NULL for events of access."),
    Column("topics", LargeBinary, nullable=False, comment="The log's topics, one behind the other."),
    Column("data", LargeBinary, nullable=False, comment="The log's data."),
)
Index("ix_events_dataset_id_account_position", EVENTS.c.dataset_id, EVENTS.c.account, EVENTS.c.position)

DATASETS = Table(
    "datasets",
    METADATA,
    Column("dataset_id", Fixed(DatasetId), primary_key=True),
    Column("position", BigInteger, nullable=False, unique=True, comment="Of its registration."),
    Column("registered_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("first_owner", Fixed(Address), nullable=False),
    Column("salt", Fixed(Bytes32), nullable=False),
    Column("owner", Fixed(Address), nullable=False),
    Column("head", Fixed(Bytes32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_root", Fixed(Bytes32), nullable=False),
    Column("metadata_hash", Fixed(Bytes32), nullable=False),
    Column("uri", LargeBinary, nullable=False),
    Column("sources", LargeBinary, nullable=False, comment="35 bytes each: the dataset's id, then the version."),
    Column("transaction_hash", Fixed(Bytes32), nullable=False, comment="Of the latest version."),
    Column("updated_position", BigInteger, nullable=False, comment="Of its latest event."),
    Column("updated_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("reason", LargeBinary, comment="Why it was withdrawn."),
    Column("name", String(500), comment="From the latest version's metadata, if that is kept here."),
    Column("name_key", String(200), comment="The name without regard to case and width."),
)
Index("ix_datasets_owner_position", DATASETS.c.owner, DATASETS.c.position)
Index("ix_datasets_is_withdrawn_position", DATASETS.c.is_withdrawn, DATASETS.c.position)
Index("ix_datasets_metadata_hash", DATASETS.c.metadata_hash)
Index(
    "ix_datasets_name_key_position",
    DATASETS.c.name_key,
    DATASETS.c.position,
    sqlite_where=DATASETS.c.name_key.is_not(None),
    postgresql_where=DATASETS.c.name_key.is_not(None),
)

WORDS = Table(
    "dataset_words",
    METADATA,
    Column("word", String(64), nullable=False),
    Column("position", BigInteger, nullable=False, comment="The dataset's."),
    PrimaryKeyConstraint("word", "position"),
    comment="The words of the datasets' names.",
)
Index("ix_dataset_words_position", WORDS.c.position)

VERSIONS = Table(
    "versions",
    METADATA,
    Column("position", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("dataset_id", Fixed(DatasetId), nullable=False),
    Column("number", Integer, nullable=False),
    Column("content_root", Fixed(Bytes32), nullable=False),
    Column("metadata_hash", Fixed(Bytes32), nullable=False),
    Column("claimant", Fixed(Address), nullable=False, comment="The owner at that time."),
)
Index("ix_versions_dataset_id_number", VERSIONS.c.dataset_id, VERSIONS.c.number, unique=True)
Index("ix_versions_content_root_position", VERSIONS.c.content_root, VERSIONS.c.position)
Index("ix_versions_metadata_hash_position", VERSIONS.c.metadata_hash, VERSIONS.c.position)

SOURCES = Table(
    "sources",
    METADATA,
    Column("source_id", Fixed(DatasetId), nullable=False),
    Column("source_version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False, comment="Of the version that derives."),
    Column("dataset_id", Fixed(DatasetId), nullable=False, comment="The dataset that derives."),
    PrimaryKeyConstraint("source_id", "source_version", "position"),
)
Index("ix_sources_position", SOURCES.c.position)

GRANTS = Table(
    "grants",
    METADATA,
    Column("position", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("dataset_id", Fixed(DatasetId), nullable=False),
    Column("grantee", Fixed(Address), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("rights", BigInteger, nullable=False, comment="One bit a right."),
    Column("starts_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("expires_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("terms_hash", Fixed(Bytes32), nullable=False),
    Column("ended_position", BigInteger, comment="Of the revocation or the grant that took its place."),
    Column("ended_at", BigInteger, comment="Unix seconds."),
    Column("is_revoked", Boolean, nullable=False),
)
Index("ix_grants_dataset_id_grantee_epoch", GRANTS.c.dataset_id, GRANTS.c.grantee, GRANTS.c.epoch, unique=True)
Index("ix_grants_dataset_id_position", GRANTS.c.dataset_id, GRANTS.c.position)
Index(
    "ix_grants_ended_position",
    GRANTS.c.ended_position,
    sqlite_where=GRANTS.c.ended_position.is_not(None),
    postgresql_where=GRANTS.c.ended_position.is_not(None),
)
