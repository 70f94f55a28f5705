"""The relay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "deployment",
        sa.Column(
            "id",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Always 1: a database belongs to one chain.",
        ),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(), nullable=False),
        sa.Column("registry", sa.LargeBinary(), nullable=True),
        sa.Column("grants", sa.LargeBinary(), nullable=True),
        sa.Column(
            "block_number", sa.BigInteger(), nullable=True, comment="No log of the contracts lies below this height."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    op.create_table(
        "leases",
        sa.Column("relayer", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column(
            "token", sa.BigInteger(), nullable=False, comment="Grows with each holding; earlier holders cannot write."
        ),
        sa.Column("expires_at", sa.Double(), nullable=False, comment="Unix seconds by the database's clock."),
        sa.PrimaryKeyConstraint("relayer", name=op.f("pk_leases")),
    )
    op.create_table(
        "receipts",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False, comment="The order of acceptance."),
        sa.Column("id", sa.String(length=32), nullable=False, comment="What the outside knows it by."),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="The name of the message's Solidity struct."),
        sa.Column("message", sa.Text(), nullable=False, comment="The message as JSON."),
        sa.Column("dataset_id", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="The EIP-712 digest that was signed."),
        sa.Column("signer", sa.LargeBinary(), nullable=True, comment="Who signed, where the signature says it."),
        sa.Column("contract", sa.LargeBinary(), nullable=False),
        sa.Column("calldata", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False, comment="Unix seconds."),
        sa.Column("accepted_at", sa.Double(), nullable=False, comment="Unix seconds."),
        sa.Column("updated_at", sa.Double(), nullable=False, comment="Unix seconds."),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True, comment="Why the contract refused, as JSON."),
        sa.Column("already_done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_receipts")),
        sa.UniqueConstraint("id", name=op.f("uq_receipts_id")),
    )
    op.create_index(op.f("ix_receipts_block_hash"), "receipts", ["block_hash"], unique=False)
    op.create_index(
        op.f("ix_receipts_digest"),
        "receipts",
        ["digest"],
        unique=True,
        sqlite_where=sa.text("status != 'failed'"),
        postgresql_where=sa.text("status != 'failed'"),
    )
    op.create_index(op.f("ix_receipts_status_seq"), "receipts", ["status", "seq"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(length=64), nullable=False, comment="Whose key it is."),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("receipt_seq", _SEQUENCE, nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_seq"], ["receipts.seq"], name=op.f("fk_idempotency_keys_receipt_seq_receipts")
        ),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "nonces",
        sa.Column("relayer", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False, comment="message, deploy, fill, or foreign."),
        sa.Column("receipt_seq", _SEQUENCE, nullable=True),
        sa.Column("contract", sa.String(length=64), nullable=True, comment="What is deployed, by its name."),
        sa.Column("state", sa.String(length=8), nullable=False, comment="open, mined, or final."),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=True, comment="The attempt that is in a block."),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["receipt_seq"], ["receipts.seq"], name=op.f("fk_nonces_receipt_seq_receipts")),
        sa.PrimaryKeyConstraint("relayer", "nonce", name=op.f("pk_nonces")),
        sa.UniqueConstraint("receipt_seq", name=op.f("uq_nonces_receipt_seq")),
    )
    op.create_index(op.f("ix_nonces_block_hash"), "nonces", ["block_hash"], unique=False)
    op.create_index(op.f("ix_nonces_relayer_state_nonce"), "nonces", ["relayer", "state", "nonce"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("relayer", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first; more are replacements."),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("is_fill", sa.Boolean(), nullable=False, comment="Whether it does nothing but use the nonce up."),
        sa.Column("maximum_fee", sa.BigInteger(), nullable=False, comment="Wei a unit of gas."),
        sa.Column("priority_fee", sa.BigInteger(), nullable=False, comment="Wei a unit of gas."),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.Double(), nullable=False, comment="Unix seconds."),
        sa.Column("sent_at", sa.Double(), nullable=True, comment="When a node first took it; Unix seconds."),
        sa.ForeignKeyConstraint(
            ["relayer", "nonce"], ["nonces.relayer", "nonces.nonce"], name=op.f("fk_attempts_relayer_nonce_nonces")
        ),
        sa.PrimaryKeyConstraint("relayer", "nonce", "number", name=op.f("pk_attempts")),
        sa.UniqueConstraint("transaction_hash", name=op.f("uq_attempts_transaction_hash")),
    )
