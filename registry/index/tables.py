"""The tables of the index that belong to no room, besides the events: see `registry.feed.tables`.

A *position* is a place on the chain as one number: the block's height times 2**20, plus the log's index in its block.
Every row of a room's tables knows the position that it came from, so that going back to a height is to delete what lies
behind it. Texts from the chain are kept as raw bytes: they need not be UTF-8, and PostgreSQL's text holds no NUL.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

from registry.base.primitives import Address, Bytes32
from registry.storage.columns import ROW_NUMBER, Fixed
from registry.storage.metadata import METADATA

STATE = Table(
    "index_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Always 1: there is one row."),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis_hash", Fixed(Bytes32), nullable=False),
    Column("height", BigInteger, nullable=False, comment="All events up to this block are here, and none behind it."),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("block_time", BigInteger, nullable=False, comment="Unix seconds."),
    Column("final_height", BigInteger, nullable=False, comment="Never above the height."),
)

CONTRACTS = Table(
    "index_contracts",
    METADATA,
    Column("name", String(64), primary_key=True, comment="Its name in Solidity."),
    Column("address", Fixed(Address), nullable=False),
    comment="The contracts whose events are here.",
)

BLOCKS = Table(
    "index_blocks",
    METADATA,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("block_hash", Fixed(Bytes32), nullable=False),
    Column("timestamp", BigInteger, nullable=False, comment="Unix seconds."),
    comment="The last blocks, among which the common ancestor is looked for after a reorganisation.",
)
