"""The table of the grants. The index's engine uses it only through the room's projection."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.storage.columns import ROW_NUMBER, Fixed
from registry.storage.metadata import METADATA

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
