"""The tables of what happened: the events of the index, and the other entries of the outbox.

Both are numbered together: an event in the index is an entry of the outbox without a second row.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, SmallInteger, String, Table, Text

from registry.base.primitives import Address, Bytes32
from registry.storage.columns import ROW_NUMBER, Fixed
from registry.storage.metadata import METADATA

EVENTS = Table(
    "events",
    METADATA,
    Column("position", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("timestamp", BigInteger, nullable=False, comment="The block's time, Unix seconds."),
    Column("transaction_hash", Fixed(Bytes32), nullable=False),
    Column("kind", SmallInteger, nullable=False, comment="The number that its room gives its type."),
    Column("subject_id", Fixed(Bytes32), nullable=False, comment="The id of what it is about."),
    Column("account", Fixed(Address), nullable=False, comment="The account that it is about too; zero for none."),
    Column("head", Fixed(Bytes32), comment="The head of its subject after it; NULL where it changes none."),
    Column("topics", LargeBinary, nullable=False, comment="The log's topics, one behind the other."),
    Column("data", LargeBinary, nullable=False, comment="The log's data."),
    Column("seq", BigInteger, nullable=False, comment="Its number in the outbox."),
    Column("written_at", BigInteger, nullable=False, comment="Unix seconds, by the database's clock."),
    comment="The events of the chain, as far as the index has read it.",
)
Index("ix_events_subject_id_account_position", EVENTS.c.subject_id, EVENTS.c.account, EVENTS.c.position)
Index("ix_events_seq", EVENTS.c.seq, unique=True)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column(
        "seq", ROW_NUMBER, primary_key=True, autoincrement=False, comment="From 1; with those of events without gaps."
    ),
    Column("entry", SmallInteger, nullable=False, comment="0: event, 1: retraction, 2: due."),
    Column("retracts", BigInteger, comment="The entry that a retraction takes back."),
    Column("is_standing", Boolean, nullable=False, comment="Whether it is an event or due entry not taken back."),
    Column("position", BigInteger, nullable=False, comment="Of the event; for a due entry, of what set its date."),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("timestamp", BigInteger, nullable=False, comment="The block's time, Unix seconds."),
    Column("transaction_hash", Fixed(Bytes32), nullable=False),
    Column("subject_id", Fixed(Bytes32), nullable=False),
    Column("account", Fixed(Address), nullable=False, comment="Zero for none."),
    Column("written_at", BigInteger, nullable=False, comment="Unix seconds, by the database's clock."),
    Column("kind", SmallInteger, comment="Of an event: the number of its type."),
    Column("topics", LargeBinary, comment="Of an event: the log's topics, one behind the other."),
    Column("data", LargeBinary, comment="Of an event: the log's data."),
    Column("name", String(64), comment="Of a due entry: what is due."),
    Column("subject_kind", String(32), comment="Of a due entry."),
    Column("values", Text, comment="Of a due entry: JSON."),
    comment="What happened, besides the events that are in the index.",
)
Index("ix_outbox_position", OUTBOX.c.position)
