"""An embedded chain: py-evm's Prague rules, stored on disk, with a JSON-RPC interface.

One process makes all blocks. Its chain is authoritative only as long as no one else can write its files. Auditors who
do not trust it compare it with its checkpoints (signed block hashes).

A block is made when transactions are pending, at most one per second, and never with a future time, because grants
expire by block time. A block is on disk before it is visible, there are no forks, and so each block is final at once.
Pending transactions are in memory only; the sender resends one until it is in a block.
"""

from __future__ import annotations

import inspect
import logging
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from registry.base.errors import RegistryError
from registry.base.primitives import Address
from registry.chain.client import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    ChainIdentity,
    ChainUnavailable,
    RpcError,
)
from registry.devchain import budget
from registry.devchain.calculator_process import CalculatorProcess, Lane
from registry.devchain.chain import ChainFollower, DevChain
from registry.devchain.methods import Methods
from registry.devchain.miner import Miner
from registry.devchain.rehearsal import RehearsalChain, RehearsalMethods
from registry.devchain.store import Store

RETRY_SECONDS = 2.0
LONGEST_SLEEP = 60.0
CLOCK_TOLERANCE = 5.0

log = logging.getLogger(__name__)


class EmbeddedChain:
    """The embedded chain as a `registry.chain.client.Chain`. Create it with `open` or `in_memory`, and close it."""

    def __init__(
        self,
        chain: DevChain,
        methods: Methods,
        mine_interval: float | None,
        calculators: Mapping[Lane, CalculatorProcess] | None = None,
    ) -> None:
        self._chain = chain
        self._calculators = calculators or {}
        self._interval = mine_interval or 0.0
        self._last_start = -self._interval
        self._fault = ""
        handlers: dict[str, Callable[..., Any]] = {
            name: getattr(methods, name) for name in dir(methods) if name.startswith(("eth_", "evm_", "net_", "web3_"))
        }
        self._methods = {name: (handler, inspect.signature(handler)) for name, handler in handlers.items()}
        self._miner = None if mine_interval is None else Miner(self._step, self._stopped)

    @classmethod
    def open(
        cls,
        folder: Path,
        relayer: Address,
        *,
        mine_interval: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> EmbeddedChain:
        """Open the chain in a folder at its newest block, or create one with a new chain id.

        Args:
            folder: The chain's folder; one process at a time uses it.
            relayer: The account that receives all ether when the chain is created; it must stay the same.
            mine_interval: Minimum seconds between two blocks. Below 1 there is still at most one block per second of
                the clock.
            clock: Returns the Unix time in seconds, UTC.

        Raises:
            Conflict: Another process uses the folder, or it holds something else, or the chain of another relayer.
            ChainUnavailable: The files cannot be read, or are damaged.
        """
        store = Store.open(folder)
        try:
            chain = DevChain(store, relayer, clock)
        except sqlite3.Error as error:
            store.close()
            raise ChainUnavailable(f"The embedded chain in {folder} cannot be used: {error}.") from error
        except RegistryError:
            store.close()
            raise
        return cls(chain, Methods(chain), mine_interval, {lane: CalculatorProcess(folder, lane) for lane in Lane})

    @classmethod
    def read_only(cls, folder: Path) -> EmbeddedChain:
        """Open the chain in a folder while another process makes its blocks.

        Args:
            folder: The chain's folder.

        Raises:
            ChainUnavailable: There is no chain, or it cannot be read.
        """
        chain = ChainFollower(Store.read_only(folder))
        return cls(chain, Methods(chain), None)

    @classmethod
    def in_memory(
        cls, relayer: Address, *, auto_mine: bool = True, clock: Callable[[], float] = time.time
    ) -> EmbeddedChain:
        """Create a chain for tests, which is lost when it is closed.

        Warning: its time and its history can be changed through JSON-RPC: evm_increaseTime, evm_setNextBlockTimestamp,
        evm_mine, evm_snapshot, evm_revert.

        Args:
            relayer: The account that receives all ether.
            auto_mine: Make a block of each transaction as it is sent, with a future time if necessary.
            clock: Returns the Unix time in seconds, UTC.
        """
        chain = RehearsalChain(Store.in_memory(), relayer, clock, auto_mine=auto_mine)
        return cls(chain, RehearsalMethods(chain), None if auto_mine else 0.0)

    def now(self) -> int:
        """Return the time that the next block would have now, Unix seconds, UTC."""
        return self._chain.next_timestamp()

    @property
    def identity(self) -> ChainIdentity:
        """Return the chain's identity."""
        return self._chain.identity

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        """Answer one request; see `registry.chain.client.Chain`."""
        entry = self._methods.get(method)
        if entry is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {method[:80]} does not exist/is not available")
        handler, signature = entry
        try:
            signature.bind(*params)
        except TypeError as error:
            raise RpcError(INVALID_PARAMS, f"invalid parameters of {method}: {error}") from error
        if method == "eth_sendRawTransaction" and self._fault:
            raise ChainUnavailable(self._fault, hint="Blocks can still be read.", retry_after=RETRY_SECONDS)
        try:
            answer = handler(*params)
        except sqlite3.Error as error:
            raise ChainUnavailable(f"The embedded chain cannot use its file: {error}.") from error
        if method == "eth_sendRawTransaction" and self._miner is not None:
            self._miner.wake()
        return answer

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        """Answer several requests in order; see `registry.chain.client.Chain`."""
        answers: list[Any | RpcError] = []
        limits = budget.current()
        for method, parameters in calls:
            try:
                if limits is not None:
                    limits.check()
                answer = self.request(method, parameters)
                if limits is not None:
                    limits.take_bytes(len(orjson.dumps(answer)))
                answers.append(answer)
            except RpcError as error:
                answers.append(error)
        return answers

    @property
    def has_calculators(self) -> bool:
        """Return whether it has processes for untrusted calls. A chain in memory has none."""
        return bool(self._calculators)

    def prepare(self, lane: Lane) -> None:
        """Start the process of a lane if it is not running."""
        if self.has_calculators:
            self._calculators[lane].prepare()

    def computed(
        self, calls: Sequence[tuple[str, Sequence[object]]], limits: budget.Budget, lane: Lane
    ) -> Generator[bytes | RpcError, None, None]:
        """Answer untrusted, possibly long calls in the process of a lane; see `CalculatorProcess.answers`."""
        return self._calculators[lane].answers(calls, limits)

    def close(self) -> None:
        """Finish the block in progress and close the files. Pending transactions are dropped."""
        if self._miner is not None:
            self._miner.close()
        for calculator in self._calculators.values():
            calculator.close()
        self._chain.store.close()

    def _step(self) -> float | None:
        """Make a block if transactions are pending and its time has come."""
        transactions = self._chain.executable()
        if not transactions:
            return None
        now = self._chain.now()
        ahead = self._chain.head.header.timestamp + 1 - now
        wait = max(ahead, self._last_start + self._interval - time.monotonic())
        if wait > 0:
            if ahead > CLOCK_TOLERANCE:
                log.warning("the clock is %.0f s behind the newest block; no block is made until it catches up", ahead)
            return min(wait, LONGEST_SLEEP)
        self._last_start = time.monotonic()
        try:
            self._chain.mine(int(now), transactions)
        except sqlite3.Error as error:
            self._fault = f"The embedded chain cannot write its blocks: {error}."
            log.warning("%s Trying again in %.0f s.", self._fault, RETRY_SECONDS)
            return RETRY_SECONDS
        self._fault = ""
        return 0.0

    def _stopped(self) -> None:
        self._fault = "The embedded chain has stopped making blocks."
