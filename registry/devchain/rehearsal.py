"""A chain for tests: its time and its history can be changed. Warning: nothing that it says may be relied on."""

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
    """A node whose clock can be moved, and whose blocks can be taken back.

    Args:
        auto_mine: Makes a block of each transaction as it comes, with a time that may not have come.
    """

    def __init__(self, store: Store, relayer: Address, clock: Callable[[], float], *, auto_mine: bool) -> None:
        self._auto_mine = auto_mine
        self._offset = 0
        self._next_timestamp: int | None = None
        self._snapshots: dict[str, DevBlock] = {}
        self._names = itertools.count(1)
        super().__init__(store, relayer, clock)

    def now(self) -> float:
        """The Unix time in seconds, UTC, as it was set."""
        return super().now() + self._offset

    def add(self, raw: bytes) -> bytes:
        """Takes a transaction in and makes blocks of all that can go into one."""
        with self._lock:
            transaction_hash = super().add(raw)
            if self._auto_mine:
                while transactions := self.executable():
                    self.mine(self._timestamp(), transactions)
        return transaction_hash

    def mine_now(self) -> None:
        """Makes a block, of nothing if nothing waits."""
        with self._lock:
            self.mine(self._timestamp(), self.executable())

    def _timestamp(self) -> int:
        chosen, self._next_timestamp = self._next_timestamp, None
        return max(self.head.header.timestamp + 1, int(self.now()) if chosen is None else chosen)

    def advance(self, seconds: int) -> int:
        """Moves the clock ahead; returns by how much it is ahead in all."""
        self._offset += seconds
        return self._offset

    def set_next_timestamp(self, timestamp: int) -> None:
        """Sets the next block's time, and the clock with it.

        Raises:
            RpcError: It is not after the newest block's.
        """
        head = self.head.header.timestamp
        if timestamp <= head:
            raise RpcError(INVALID_PARAMS, f"timestamp {timestamp} is not after the newest block's, {head}")
        self._next_timestamp = timestamp
        self._offset = timestamp - int(super().now())

    def snapshot(self) -> str:
        """Marks the present state; returns its name."""
        name = hex(next(self._names))
        self._snapshots[name] = self.head
        return name

    def revert(self, name: str) -> bool:
        """Takes back all blocks since a snapshot and forgets it and what waits; false if there is no such snapshot."""
        block = self._snapshots.pop(name, None)
        if block is None:
            return False
        with self._lock:
            self.store.forget_after(block.number)
            self._head = block
            self._pool = Pool()
        return True


class RehearsalMethods(Methods):
    """JSON-RPC with the methods that test nodes add."""

    def __init__(self, chain: RehearsalChain) -> None:
        super().__init__(chain)
        self._rehearsal = chain

    def evm_increaseTime(self, seconds: object) -> str:
        """Moves the clock ahead by seconds, a number or hex."""
        return hex(self._rehearsal.advance(_number(seconds)))

    def evm_setNextBlockTimestamp(self, timestamp: object) -> None:
        """Sets the next block's time, Unix seconds as a number or hex, and the clock with it."""
        self._rehearsal.set_next_timestamp(_number(timestamp))

    def evm_mine(self, timestamp: object = None) -> str:
        """Makes a block, at a time if one is given."""
        if timestamp is not None:
            self._rehearsal.set_next_timestamp(_number(timestamp))
        self._rehearsal.mine_now()
        return "0x0"

    def evm_snapshot(self) -> str:
        """Marks the present state."""
        return self._rehearsal.snapshot()

    def evm_revert(self, snapshot: object) -> bool:
        """Goes back to a snapshot. The clock stays as it is."""
        return self._rehearsal.revert(str(snapshot))


def _number(value: object) -> int:
    return value if isinstance(value, int) else params.quantity(value, "number")
