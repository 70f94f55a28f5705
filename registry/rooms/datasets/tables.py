"""The tables of the datasets. The index's engine uses them only through the room's projection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Table

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.rooms.datasets.messages import Source
from registry.storage.columns import ROW_NUMBER, Fixed
from registry.storage.metadata import METADATA

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

VERSION_BYTES: Final = 3


def packed(sources: Iterable[Source]) -> bytes:
    """Return sources packed for `datasets.sources`: 32 bytes of id and 3 of version each."""
    return b"".join(source.dataset_id + source.version.to_bytes(VERSION_BYTES, "big") for source in sources)


def unpacked(sources: bytes) -> Iterator[tuple[DatasetId, int]]:
    """Yield the ids and versions of packed sources."""
    step = DatasetId.LENGTH + VERSION_BYTES
    for start in range(0, len(sources), step):
        middle = start + DatasetId.LENGTH
        yield DatasetId(sources[start:middle]), int.from_bytes(sources[middle : start + step], "big")
