"""The tables of the checkpoints."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from registry.base.primitives import Bytes32
from registry.storage.columns import Fixed
from registry.storage.metadata import METADATA

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("height", BigInteger, primary_key=True, autoincrement=False),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("signed_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("cosignatures", Integer, nullable=False, comment="How many witnesses cosigned."),
    Column("note", Text, nullable=False, comment="The signed note."),
)
Index("ix_checkpoints_cosignatures_height", CHECKPOINTS.c.cosignatures, CHECKPOINTS.c.height)

KEYS = Table(
    "checkpoint_keys",
    METADATA,
    Column("key", String(400), primary_key=True, comment="A public key of this node or of a witness."),
)

ALARMS = Table(
    "checkpoint_alarms",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", Fixed(Bytes32), nullable=False, unique=True, comment="SHA-256 of the two statements' texts."),
    Column("reporter", String(200), nullable=False, comment="Who raised it: the name of a key."),
    Column("reported_at", BigInteger, nullable=False, comment="Unix seconds."),
    Column("kind", String(16), nullable=False),
    Column("ours", Text, nullable=False, comment="The note, or what was followed."),
    Column("theirs", Text, nullable=False, comment="The note against it, or what is there now."),
)
