"""The embedded chain on disk: blocks, and trie nodes by their hash, in one SQLite file.

A block and all its nodes are written in one transaction, so the file is consistent after a kill. Nodes are never
deleted: every earlier state stays readable.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO, Self

import rlp
from eth.abc import BlockHeaderAPI
from eth.vm.forks.prague.blocks import PragueBlockHeader
from rlp.exceptions import RLPException

from registry.base.errors import Conflict
from registry.base.primitives import keccak256
from registry.chain.client import ChainUnavailable

APPLICATION_ID = 0x74647263  # "tdrc"
SCHEMA_VERSION = 1
FILE = "chain.sqlite3"
NODES_CACHED = 32_768
NODES_CACHED_BESIDE = 4_096
"""The cache of a process that only reads: the upper nodes of the tries, which all requests share."""
BLOCKS_CACHED = 320
"""More than the number of blocks that evidence links one by one."""
BLOCKS_CACHED_BESIDE = 128
ROWS_A_PAGE = 4_096

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE chain (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    chain_id INTEGER NOT NULL,
    relayer BLOB NOT NULL
) STRICT;
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    bloom BLOB NOT NULL,
    header BLOB NOT NULL,
    transactions BLOB NOT NULL,
    senders BLOB NOT NULL,
    receipts BLOB NOT NULL
) STRICT;
CREATE TABLE transactions (
    hash BLOB PRIMARY KEY,
    block INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE nodes (
    hash BLOB PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True)
class DevBlock:
    """A block as it is stored.

    Args:
        header: The header, in Prague's form.
        transactions: The signed transactions, as sent.
        senders: The sender of each, 20 bytes.
        receipts: The receipt of each, as in the receipts trie.
    """

    header: BlockHeaderAPI
    transactions: tuple[bytes, ...]
    senders: tuple[bytes, ...]
    receipts: tuple[bytes, ...]

    @property
    def number(self) -> int:
        return self.header.block_number

    @cached_property
    def hash(self) -> bytes:
        return self.header.hash

    @cached_property
    def size(self) -> int:
        """Return the bytes of the block's RLP: the header, the transactions, no uncles and no withdrawals."""
        typed = (_with_prefix(len(raw)) if raw[0] < 0xC0 else len(raw) for raw in self.transactions)
        return _with_prefix(len(rlp.encode(self.header)) + _with_prefix(sum(typed)) + 2 * _with_prefix(0))

    @property
    def base_fee(self) -> int:
        """Return the base fee, wei per unit of gas."""
        return self.header.base_fee_per_gas or 0


@dataclass(frozen=True, slots=True)
class Genesis:
    """The parameters that the chain was created with.

    Args:
        chain_id: The chain's id.
        relayer: The account that received all ether, 20 bytes.
    """

    chain_id: int
    relayer: bytes


class Store:
    """The blocks and nodes. Safe to use from several threads; SQLite is used by one at a time."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock_file: IO[str] | None = None,
        nodes_cached: int = NODES_CACHED,
        blocks_cached: int = BLOCKS_CACHED,
    ) -> None:
        self._connection = connection
        self._lock_file = lock_file
        self._lock = threading.RLock()
        self.node = lru_cache(nodes_cached)(self._load_node)
        self.block_by_hash = lru_cache(blocks_cached)(self._load_block)

    @classmethod
    def in_memory(cls) -> Self:
        """Create a store that is lost when it is closed."""
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        connection.executescript(_SCHEMA)
        return cls(connection)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the store in a folder; create both if they are missing.

        Args:
            folder: The folder.

        Raises:
            Conflict: Another process uses the folder, or it holds something else.
            ChainUnavailable: The folder or the file in it cannot be read or written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock_file = _lock(folder)
        except OSError as error:
            raise ChainUnavailable(f"The chain's folder {folder} cannot be used: {error.strerror}.") from error
        path = folder / FILE
        try:
            connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL: a commit is on the disk, not only in its cache, before a block becomes visible.
            connection.execute("PRAGMA synchronous = FULL")
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if tables == 0:
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
                (application, version) = (APPLICATION_ID, SCHEMA_VERSION)
        except sqlite3.DatabaseError as error:
            lock_file.close()
            raise _damaged(path, error) from error
        if (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
            connection.close()
            lock_file.close()
            raise Conflict(f"{path} is not an embedded chain of this version.", hint="Choose another data folder.")
        return cls(connection, lock_file)

    @classmethod
    def read_only(cls, folder: Path) -> Self:
        """Open the store in a folder while another process writes it.

        Args:
            folder: The folder.

        Raises:
            ChainUnavailable: There is no store, or it cannot be read.
        """
        path = (folder / FILE).absolute()
        try:
            connection = sqlite3.connect(
                f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
            )
            connection.execute("SELECT 1 FROM chain").fetchone()
        except sqlite3.DatabaseError as error:
            raise _damaged(path, error) from error
        return cls(connection, nodes_cached=NODES_CACHED_BESIDE, blocks_cached=BLOCKS_CACHED_BESIDE)

    def close(self) -> None:
        """Close the file and release the folder."""
        with self._lock:
            self._connection.close()
            if self._lock_file is not None:
                self._lock_file.close()

    def genesis(self) -> Genesis | None:
        """Return the parameters that the chain was created with; None if there is no chain yet."""
        with self._lock:
            row = self._connection.execute("SELECT chain_id, relayer FROM chain").fetchone()
        return None if row is None else Genesis(*row)

    def create(self, genesis: Genesis, block: DevBlock, nodes: Mapping[bytes, bytes]) -> None:
        """Write the parameters and the first block, in one transaction."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO chain VALUES (0, ?, ?)", (genesis.chain_id, genesis.relayer))
            self._insert(block, nodes)

    def append(self, block: DevBlock, nodes: Mapping[bytes, bytes]) -> None:
        """Write the next block and the nodes of its state, in one transaction.

        Raises:
            sqlite3.Error: The write failed. `head_hash` tells whether it took effect.
        """
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._insert(block, nodes)

    def _insert(self, block: DevBlock, nodes: Mapping[bytes, bytes]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO nodes VALUES (?, ?)", sorted(nodes.items()))
        self._connection.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                block.number,
                block.hash,
                block.header.bloom.to_bytes(256, "big"),
                rlp.encode(block.header),
                rlp.encode(block.transactions),
                b"".join(block.senders),
                rlp.encode(block.receipts),
            ),
        )
        self._connection.executemany(
            "INSERT INTO transactions VALUES (?, ?, ?)",
            [(keccak256(raw), block.number, position) for position, raw in enumerate(block.transactions)],
        )

    def forget_after(self, number: int) -> None:
        """Delete the blocks above a height. Warning: only for chains on which no one relies."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DELETE FROM blocks WHERE number > ?", (number,))
            self._connection.execute("DELETE FROM transactions WHERE block > ?", (number,))
        self.block_by_hash.cache_clear()

    def head_hash(self) -> bytes:
        """Return the hash of the highest block.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            row = self._connection.execute("SELECT hash FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
        return _only(row)

    def hash_at(self, number: int) -> bytes:
        """Return the hash of the block at a height.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            row = self._connection.execute("SELECT hash FROM blocks WHERE number = ?", (number,)).fetchone()
        return _only(row)

    def place_of(self, transaction_hash: bytes) -> tuple[int, int]:
        """Return the block number and the position of a transaction.

        Raises:
            KeyError: The transaction is in no block.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT block, position FROM transactions WHERE hash = ?", (transaction_hash,)
            ).fetchone()
        if row is None:
            raise KeyError(transaction_hash)
        block, position = row
        return block, position

    def blooms(self, first: int, last: int) -> Iterator[tuple[bytes, int]]:
        """Yield the hash and the logs bloom of each block from `first` to `last`, both included, in order."""
        while first <= last:
            with self._lock:
                rows = self._connection.execute(
                    "SELECT hash, bloom FROM blocks WHERE number BETWEEN ? AND ? ORDER BY number LIMIT ?",
                    (first, last, ROWS_A_PAGE),
                ).fetchall()
            if not rows:
                return
            for block_hash, bloom in rows:
                yield block_hash, int.from_bytes(bloom, "big")
            first += len(rows)

    def _load_node(self, node_hash: bytes) -> bytes:
        with self._lock:
            row = self._connection.execute("SELECT body FROM nodes WHERE hash = ?", (node_hash,)).fetchone()
        return _only(row)

    def _load_block(self, block_hash: bytes) -> DevBlock:
        with self._lock:
            row = self._connection.execute(
                "SELECT header, transactions, senders, receipts FROM blocks WHERE hash = ?", (block_hash,)
            ).fetchone()
        if row is None:
            raise KeyError(block_hash)
        header, transactions, senders, receipts = row
        return DevBlock(
            header=rlp.decode(header, sedes=PragueBlockHeader),
            transactions=tuple(rlp.decode(transactions)),
            senders=tuple(senders[start : start + 20] for start in range(0, len(senders), 20)),
            receipts=tuple(rlp.decode(receipts)),
        )

    def check(self, depth: int) -> None:
        """Check the hashes and the links of the newest blocks, and that the head's state is present.

        Args:
            depth: How many blocks to check.

        Raises:
            ChainUnavailable: The store is damaged.
        """
        try:
            whole = self._follows(depth)
        except (KeyError, sqlite3.DatabaseError, RLPException) as error:
            raise _damaged(Path(FILE), error) from error
        if not whole:
            raise _damaged(Path(FILE), None)

    def _follows(self, depth: int) -> bool:
        name = self.head_hash()
        self.node(self.block_by_hash(name).header.state_root)
        for _ in range(depth):
            block = self.block_by_hash(name)
            if block.hash != name or self.hash_at(block.number) != name:
                return False
            if block.number == 0:
                return True
            name = block.header.parent_hash
        return True


def _with_prefix(length: int) -> int:
    """Return the RLP length of an item with this payload length: a list, or a string of more than one byte."""
    return 1 + length + (0 if length < 56 else (length.bit_length() + 7) // 8)


def _only(row: tuple[bytes] | None) -> bytes:
    if row is None:
        raise KeyError
    return row[0]


def _lock(folder: Path) -> IO[str]:
    lock_file = (folder / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock_file.seek(0)
        holder = lock_file.read(20).strip()
        lock_file.close()
        raise Conflict(
            f"Another node uses this data folder: {folder} (process {holder or 'unknown'}).",
            hint="Stop that node, or choose another folder with --data.",
        ) from None
    lock_file.truncate(0)
    lock_file.write(f"{os.getpid()}\n")
    lock_file.flush()
    return lock_file


def _damaged(path: Path, error: Exception | None) -> ChainUnavailable:
    return ChainUnavailable(
        f"The embedded chain in {path} cannot be read: {str(error or '') or 'part of it is missing'}.",
        hint="The file is damaged or is not a chain; restore it from a backup, or choose another data folder.",
    )
