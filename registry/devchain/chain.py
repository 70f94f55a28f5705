"""The core of the embedded chain: its store, its newest block, its pending transactions, and mining."""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

from eth.abc import SignedTransactionAPI
from eth.rlp.accounts import Account
from eth_typing import Hash32

from registry.base.errors import Conflict
from registry.base.primitives import Address, Bytes32
from registry.chain.client import ChainIdentity, ChainUnavailable
from registry.devchain import admission, evm, state
from registry.devchain.pool import Pending, Pool
from registry.devchain.store import DevBlock, Genesis, Store

BLOCKS_CHECKED_AT_OPENING = 64
ANCESTORS_VISIBLE = 256

log = logging.getLogger(__name__)


class DevChain:
    """One chain. Any thread may read and add transactions; one thread at a time makes blocks.

    Args:
        store: The store that holds the chain or will hold it.
        relayer: The account that receives all ether when the chain is created; it must stay the same.
        clock: Returns the Unix time in seconds, UTC.

    Raises:
        Conflict: The store holds the chain of another relayer.
        ChainUnavailable: The store is damaged.
    """

    def __init__(self, store: Store, relayer: Address, clock: Callable[[], float]) -> None:
        self.store = store
        self._clock = clock
        self._lock = threading.RLock()
        self._pool = Pool()
        genesis = store.genesis() or self._create(relayer)
        if genesis.relayer != relayer:
            raise Conflict(
                f"This chain was created for the relayer {Address(genesis.relayer)}; got the key of {relayer}.",
                hint="Use the key that belongs to this data folder, or choose another folder.",
            )
        self._check()
        self._head = store.block_by_hash(store.head_hash())
        self.identity = ChainIdentity(genesis.chain_id, Bytes32(store.hash_at(0)))

    def _check(self) -> None:
        self.store.check(BLOCKS_CHECKED_AT_OPENING)

    def _create(self, relayer: Address) -> Genesis:
        # 0x7464 are the letters "td"; the random rest distinguishes chains of different nodes.
        genesis = Genesis(0x74640000 | secrets.randbits(16), bytes(relayer))
        draft = evm.make_genesis(genesis.chain_id, genesis.relayer, int(self.now()))
        self.store.create(genesis, draft.block, draft.nodes)
        return genesis

    def now(self) -> float:
        """Return the Unix time in seconds, UTC."""
        return self._clock()

    def next_timestamp(self) -> int:
        """Return the time that the next block would have now, Unix seconds, UTC: later than the newest block's."""
        return max(self.head.header.timestamp + 1, int(self.now()))

    # Blocks

    @property
    def head(self) -> DevBlock:
        """Return the newest block. It is on disk before it is visible here."""
        return self._head

    def block_at(self, number: int) -> DevBlock | None:
        """Return the block at a height; None if there is none."""
        if number > self.head.number:
            return None
        return self.store.block_by_hash(self.store.hash_at(number))

    def block_with(self, block_hash: bytes) -> DevBlock | None:
        """Return the block with a hash; None if there is none."""
        try:
            block = self.store.block_by_hash(block_hash)
        except KeyError:
            return None
        return block if block.number <= self.head.number else None

    def place_of(self, transaction_hash: bytes) -> tuple[DevBlock, int] | None:
        """Return a transaction's block and its position in it; None if it is in no block."""
        try:
            number, position = self.store.place_of(transaction_hash)
        except KeyError:
            return None
        block = self.block_at(number)
        return None if block is None else (block, position)

    def account(self, address: bytes, block: DevBlock | None = None) -> Account:
        """Return an account after a block.

        Args:
            address: 20 bytes.
            block: The block; None: the newest.
        """
        return state.account_at(self.store.node, (block or self.head).header.state_root, address)

    def hashes_before(self, block: DevBlock) -> Iterator[Hash32]:
        """Return the hashes of the blocks before this one that contracts can read, newest first."""
        for _ in range(ANCESTORS_VISIBLE):
            if block.number == 0:
                return
            yield block.header.parent_hash
            block = self.store.block_by_hash(block.header.parent_hash)

    # Pending transactions

    def add(self, raw: bytes) -> bytes:
        """Add a signed transaction to the pool and return its hash. It is in memory only until it is in a block.

        Args:
            raw: The bytes as sent.

        Raises:
            RpcError: It is invalid or already known, or the pool is full.
        """
        admission.refuse_oversized(raw)
        transaction = evm.decode_transaction(raw)
        admission.refuse_invalid(transaction, self.identity.chain_id)
        with self._lock:
            admission.refuse_unaffordable(transaction, self.account(transaction.sender))
            self._pool.add(transaction, raw)
        return transaction.hash

    def waiting(self, transaction_hash: bytes) -> Pending | None:
        """Return the pending transaction with a hash; None if there is none."""
        with self._lock:
            return self._pool.get(transaction_hash)

    def next_nonce(self, sender: bytes) -> int:
        """Return the first nonce of an account (20 bytes) that is neither in a block nor pending."""
        with self._lock:
            return self._pool.next_nonce(sender, self._nonce_of(sender))

    def executable(self) -> list[SignedTransactionAPI]:
        """Return the transactions that the next block could include, in order."""
        with self._lock:
            return self._pool.executable(self._nonce_of, evm.next_base_fee(self._head.header))

    def _nonce_of(self, sender: bytes) -> int:
        return self.account(sender).nonce

    # Mining

    def mine(self, timestamp: int, transactions: list[SignedTransactionAPI]) -> None:
        """Make a block, write it to the store, and publish it.

        Args:
            timestamp: Unix seconds, UTC; later than the newest block's.
            transactions: The transactions, in order. Those that cannot be executed are dropped and logged.

        Raises:
            sqlite3.Error: The block cannot be written. Nothing has changed.
        """
        draft = evm.build_block(
            self._head,
            timestamp,
            transactions,
            chain_id=self.identity.chain_id,
            read=self.store.node,
            ancestors=self._hashes_from_head,
        )
        for transaction_hash, reason in draft.refused.items():
            log.warning("transaction 0x%s is dropped: %s", transaction_hash.hex(), reason)
        with self._lock:
            self._pool.drop(draft.refused)
        if draft.block.transactions or not transactions:
            self._append(draft)

    def _append(self, draft: evm.Draft) -> None:
        try:
            self.store.append(draft.block, draft.nodes)
        except sqlite3.Error:
            # A commit that reported an error may still have succeeded: only the file can tell.
            if self.store.head_hash() != draft.block.hash:
                raise
        with self._lock:
            self._head = draft.block
            self._pool.settle(draft.block.senders, self._nonce_of)

    def _hashes_from_head(self) -> Iterator[Hash32]:
        yield Hash32(self._head.hash)
        yield from self.hashes_before(self._head)


class ChainFollower(DevChain):
    """A chain whose blocks another process makes. A block is visible once it is on disk; pending transactions are not.

    Args:
        store: The store, opened read-only.

    Raises:
        ChainUnavailable: The chain has not been created.
    """

    def __init__(self, store: Store) -> None:
        genesis = store.genesis()
        if genesis is None:
            raise ChainUnavailable("The embedded chain has no first block yet.")
        super().__init__(store, Address(genesis.relayer), time.time)

    @property
    def head(self) -> DevBlock:
        """Return the newest block on disk."""
        return self.store.block_by_hash(self.store.head_hash())

    def _check(self) -> None:
        """Check nothing: the process that makes the blocks has checked them."""
