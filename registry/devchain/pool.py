"""The pending transactions, in memory only. A sender keeps each one until it is in a block."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eth.abc import SignedTransactionAPI

from registry.chain.client import SERVER_ERROR, RpcError

MAX_TRANSACTIONS = 16_384
REPLACEMENT_PERCENT = 10

NonceOf = Callable[[bytes], int]
"""Returns the number of an account's (20 bytes) transactions that are in blocks."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A valid transaction.

    Args:
        transaction: The decoded transaction.
        raw: Its bytes.
        arrival: Its position in the order of arrival.
    """

    transaction: SignedTransactionAPI
    raw: bytes
    arrival: int


class Pool:
    """The pending transactions of each account by nonce. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._by_sender: dict[bytes, dict[int, Pending]] = {}
        self._by_hash: dict[bytes, Pending] = {}
        self._arrivals = itertools.count()

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, transaction_hash: bytes) -> Pending | None:
        """Return the pending transaction with this hash; None if there is none."""
        return self._by_hash.get(transaction_hash)

    def add(self, transaction: SignedTransactionAPI, raw: bytes) -> None:
        """Add a transaction. To replace one with the same nonce, both its fees must be 10 % higher.

        Args:
            transaction: The decoded transaction.
            raw: Its bytes.

        Raises:
            RpcError: It is already pending, its fees are too low to replace another, or the pool is full. The messages
                are geth's.
        """
        if transaction.hash in self._by_hash:
            raise RpcError(SERVER_ERROR, "already known")
        waiting = self._by_sender.setdefault(transaction.sender, {})
        replaced = waiting.get(transaction.nonce)
        if replaced is not None:
            if not _outbids(transaction, replaced.transaction):
                raise RpcError(SERVER_ERROR, "replacement transaction underpriced")
            del self._by_hash[replaced.transaction.hash]
        elif len(self._by_hash) >= MAX_TRANSACTIONS:
            if not waiting:
                del self._by_sender[transaction.sender]
            raise RpcError(SERVER_ERROR, "txpool is full")
        pending = Pending(transaction, raw, next(self._arrivals))
        waiting[transaction.nonce] = pending
        self._by_hash[transaction.hash] = pending

    def next_nonce(self, sender: bytes, nonce: int) -> int:
        """Return the first nonce from `nonce` on that is not pending."""
        waiting = self._by_sender.get(sender, {})
        while nonce in waiting:
            nonce += 1
        return nonce

    def executable(self, nonce_of: NonceOf, base_fee: int) -> list[SignedTransactionAPI]:
        """Return the transactions that the next block could include: in the order of arrival, and by nonce for each
        account.

        Transactions after a gap in the nonces wait, as do those that offer less than the base fee, and those after
        them.

        Args:
            nonce_of: Returns an account's next nonce on the chain.
            base_fee: The next block's base fee, wei per unit of gas.
        """
        heads: list[tuple[int, bytes, int]] = []

        def offer(sender: bytes, nonce: int) -> None:
            pending = self._by_sender[sender].get(nonce)
            if pending is not None and pending.transaction.max_fee_per_gas >= base_fee:
                heapq.heappush(heads, (pending.arrival, sender, nonce))

        for sender in self._by_sender:
            offer(sender, nonce_of(sender))
        chosen: list[SignedTransactionAPI] = []
        while heads:
            _, sender, nonce = heapq.heappop(heads)
            chosen.append(self._by_sender[sender][nonce].transaction)
            offer(sender, nonce + 1)
        return chosen

    def drop(self, transaction_hashes: Iterable[bytes]) -> None:
        """Remove these transactions; ignore those that are not pending."""
        for transaction_hash in transaction_hashes:
            pending = self._by_hash.pop(transaction_hash, None)
            if pending is not None:
                self._remove(pending)

    def settle(self, senders: Iterable[bytes], nonce_of: NonceOf) -> None:
        """Remove these accounts' transactions whose nonce has been used, by them or by a replacement."""
        for sender in set(senders):
            reached = nonce_of(sender)
            passed = [pending for nonce, pending in self._by_sender.get(sender, {}).items() if nonce < reached]
            for pending in passed:
                del self._by_hash[pending.transaction.hash]
                self._remove(pending)

    def _remove(self, pending: Pending) -> None:
        waiting = self._by_sender[pending.transaction.sender]
        del waiting[pending.transaction.nonce]
        if not waiting:
            del self._by_sender[pending.transaction.sender]


def _outbids(new: SignedTransactionAPI, old: SignedTransactionAPI) -> bool:
    return all(
        100 * offered >= (100 + REPLACEMENT_PERCENT) * former
        for offered, former in (
            (new.max_fee_per_gas, old.max_fee_per_gas),
            (new.max_priority_fee_per_gas, old.max_priority_fee_per_gas),
        )
    )
