"""A chain for tests: its time and its history can be changed. Warning: do not rely on anything it states."""

# ruff: noqa: N802 - the methods have the names that JSON-RPC gives them

from __future__ import annotations

import itertools
from collections.abc import Callable

from registry.base.primitives import Address
from registry.chain import params
from registry.chain.client import INVALID_PARAMS, RpcError
from registry.devchain.chain import DevChain
from registry.devchain.methods import Methods
from registry.devchain.pool import Pool
from registry.devchain.store import DevBlock, Store


class RehearsalChain(DevChain):
    """A chain whose clock can be advanced and whose blocks can be removed.

    Args:
        store: The store that holds the chain or will hold it.
        relayer: The account that receives all ether.
        clock: Returns the Unix time in seconds, UTC.
        auto_mine: Make a block for each transaction as it arrives, with a future time if necessary.
    """

    def __init__(self, store: Store, relayer: Address, clock: Callable[[], float], *, auto_mine: bool) -> None:
        self._auto_mine = auto_mine
        self._offset = 0
        self._next_timestamp: int | None = None
        self._snapshots: dict[str, DevBlock] = {}
        self._names = itertools.count(1)
        super().__init__(store, relayer, clock)

    def now(self) -> float:
        """Return the Unix time in seconds, UTC, including the offset that was set."""
        return super().now() + self._offset

    def add(self, raw: bytes) -> bytes:
        """Add a transaction and make blocks of all executable ones."""
        with self._lock:
            transaction_hash = super().add(raw)
            if self._auto_mine:
                while transactions := self.executable():
                    self.mine(self._timestamp(), transactions)
        return transaction_hash

    def mine_now(self) -> None:
        """Make a block, even if no transaction is pending."""
        with self._lock:
            self.mine(self._timestamp(), self.executable())

    def _timestamp(self) -> int:
        chosen, self._next_timestamp = self._next_timestamp, None
        return self.next_timestamp() if chosen is None else max(self.head.header.timestamp + 1, chosen)

    def advance(self, seconds: int) -> int:
        """Advance the clock and return its total offset in seconds."""
        self._offset += seconds
        return self._offset

    def set_next_timestamp(self, timestamp: int) -> None:
        """Set the next block's time, and the clock with it.

        Args:
            timestamp: Unix seconds, UTC.

        Raises:
            RpcError: The time is not after the newest block's.
        """
        head = self.head.header.timestamp
        if timestamp <= head:
            raise RpcError(INVALID_PARAMS, f"timestamp {timestamp} is not after the newest block's, {head}")
        self._next_timestamp = timestamp
        self._offset = timestamp - int(super().now())

    def snapshot(self) -> str:
        """Mark the current state and return its name."""
        name = hex(next(self._names))
        self._snapshots[name] = self.head
        return name

    def revert(self, name: str) -> bool:
        """Remove all blocks since a snapshot, the snapshot and all pending transactions.

        Args:
            name: The snapshot's name.

        Returns:
            Whether there is such a snapshot.
        """
        block = self._snapshots.pop(name, None)
        if block is None:
            return False
        with self._lock:
            self.store.forget_after(block.number)
            self._head = block
            self._pool = Pool()
        return True


class RehearsalMethods(Methods):
    """JSON-RPC with the additional methods of test nodes.

    Args:
        chain: The chain.
    """

    def __init__(self, chain: RehearsalChain) -> None:
        super().__init__(chain)
        self._rehearsal = chain

    def evm_increaseTime(self, seconds: object) -> str:
        """Advance the clock by seconds, a number or hex."""
        return hex(self._rehearsal.advance(_number(seconds)))

    def evm_setNextBlockTimestamp(self, timestamp: object) -> None:
        """Set the next block's time, Unix seconds as a number or hex, and the clock with it."""
        self._rehearsal.set_next_timestamp(_number(timestamp))

    def evm_mine(self, timestamp: object = None) -> str:
        """Make a block, at a time if one is given."""
        if timestamp is not None:
            self._rehearsal.set_next_timestamp(_number(timestamp))
        self._rehearsal.mine_now()
        return "0x0"

    def evm_snapshot(self) -> str:
        """Mark the current state."""
        return self._rehearsal.snapshot()

    def evm_revert(self, snapshot: object) -> bool:
        """Return to a snapshot. The clock does not change."""
        return self._rehearsal.revert(str(snapshot))


def _number(value: object) -> int:
    return value if isinstance(value, int) else params.quantity(value, "number")
