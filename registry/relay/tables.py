"""The relay's tables: accepted messages, their nonces, and all transactions signed for them.

In `nonces`, the primary key allows one payload per nonce, and the unique receipt allows one nonce per receipt.
Therefore no message is sent twice and no nonce is skipped, whenever a process crashes.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from registry.base.primitives import Address, Bytes32
from registry.storage.columns import ROW_NUMBER, Fixed
from registry.storage.metadata import METADATA

RECEIPTS = Table(
    "receipts",
    METADATA,
    Column("seq", ROW_NUMBER, primary_key=True, autoincrement=True, comment="The order of acceptance."),
    Column("id", String(32), nullable=False, unique=True, comment="What the outside knows it by."),
    Column("status", String(8), nullable=False),
    Column("kind", String(32), nullable=False, comment="The name of the message's Solidity struct."),
    Column("message", Text, nullable=False, comment="The message as JSON."),
    Column("subject_kind", String(32), nullable=False, comment="The kind of what the message is about."),
    Column("subject_id", Fixed(Bytes32), nullable=False, comment="The id of what the message is about."),
    Column("digest", Fixed(Bytes32), nullable=False, comment="The EIP-712 digest that was signed."),
    Column("signer", Fixed(Address), comment="Who signed, where the signature says it."),
    Column("contract", Fixed(Address), nullable=False),
    Column("calldata", LargeBinary, nullable=False),
    Column("gas", Integer, nullable=False),
    Column("deadline", BigInteger, nullable=False, comment="Unix seconds."),
    Column("accepted_at", Double, nullable=False, comment="Unix seconds."),
    Column("updated_at", Double, nullable=False, comment="Unix seconds."),
    Column("transaction_hash", Fixed(Bytes32)),
    Column("block_number", BigInteger),
    Column("block_hash", Fixed(Bytes32)),
    Column("failure", Text, comment="Why the contract refused, as JSON."),
    Column("already_done", Boolean, nullable=False),
    Column(
        "effect",
        Fixed(Bytes32),
        comment="Which log it was answered for, where it was done before; one effect has one receipt.",
    ),
)

# A message that failed without a transaction may be sent again, so the digest is unique among receipts not failed.
Index(
    None,
    RECEIPTS.c.digest,
    unique=True,
    sqlite_where=RECEIPTS.c.status != "failed",
    postgresql_where=RECEIPTS.c.status != "failed",
)
Index(None, RECEIPTS.c.effect, unique=True)
Index(None, RECEIPTS.c.status, RECEIPTS.c.seq)
Index(None, RECEIPTS.c.block_hash)
Index(None, RECEIPTS.c.block_number)

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("scope", String(64), nullable=False, comment="Whose key it is."),
    Column("key", String(255), nullable=False),
    Column("receipt_seq", ROW_NUMBER, ForeignKey("receipts.seq"), nullable=False),
    Column("body", Fixed(Bytes32), comment="SHA-256 of what it was used for; NULL: not known."),
    PrimaryKeyConstraint("scope", "key"),
)

GAS_SPENT = Table(
    "gas_spent",
    METADATA,
    Column("hour", BigInteger, nullable=False, comment="Unix seconds divided by 3600."),
    Column("scope", String(128), nullable=False, comment="Whose gas: everybody's, an account's, or a dataset's."),
    Column("gas", BigInteger, nullable=False, comment="The most that the messages accepted in that hour may use."),
    PrimaryKeyConstraint("hour", "scope"),
)

NONCES = Table(
    "nonces",
    METADATA,
    Column("relayer", Fixed(Address), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("purpose", String(8), nullable=False, comment="message, deploy, fill, or foreign."),
    Column("receipt_seq", ROW_NUMBER, ForeignKey("receipts.seq"), unique=True),
    Column("contract", String(64), comment="What is deployed, by its name."),
    Column("state", String(8), nullable=False, comment="open, mined, or final."),
    Column("transaction_hash", Fixed(Bytes32), comment="The attempt that is in a block."),
    Column("block_number", BigInteger),
    Column("block_hash", Fixed(Bytes32)),
    PrimaryKeyConstraint("relayer", "nonce"),
)
Index(None, NONCES.c.relayer, NONCES.c.state, NONCES.c.nonce)
Index(None, NONCES.c.block_hash)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("relayer", Fixed(Address), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("number", Integer, nullable=False, comment="1 for the first; more are replacements."),
    Column("transaction_hash", Fixed(Bytes32), nullable=False),
    Column("is_fill", Boolean, nullable=False, comment="Whether it does nothing but use the nonce up."),
    Column("maximum_fee", BigInteger, nullable=False, comment="Wei a unit of gas."),
    Column("priority_fee", BigInteger, nullable=False, comment="Wei a unit of gas."),
    Column("raw", LargeBinary, nullable=False),
    Column("signed_at", Double, nullable=False, comment="Unix seconds."),
    Column("sent_at", Double, comment="When a node first took it; Unix seconds."),
    PrimaryKeyConstraint("relayer", "nonce", "number"),
    UniqueConstraint("transaction_hash"),
    ForeignKeyConstraint(["relayer", "nonce"], ["nonces.relayer", "nonces.nonce"]),
)

LEASES = Table(
    "leases",
    METADATA,
    Column("relayer", Fixed(Address), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("token", BigInteger, nullable=False, comment="Grows with each holding; earlier holders cannot write."),
    Column("expires_at", Double, nullable=False, comment="Unix seconds by the database's clock."),
)

DEPLOYMENT = Table(
    "deployment",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Always 1: a database belongs to one chain."),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", Fixed(Bytes32), nullable=False),
)

DEPLOYMENT_CONTRACTS = Table(
    "deployment_contracts",
    METADATA,
    Column("name", String(64), primary_key=True, comment="The contract's name in Solidity."),
    Column("address", Fixed(Address), nullable=False),
    Column("block_number", BigInteger, nullable=False, comment="The contract has logged nothing below this height."),
)
