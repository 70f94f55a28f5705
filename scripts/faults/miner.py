"""Make an anvil's blocks and reorganise them: transactions are dropped, moved to other blocks, or both.

A single thread does both in turn. An anvil that makes blocks automatically may do so during a reorganisation and then
lose blocks, so that the run ends without a verdict.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from registry.chain.client import ChainUnavailable, RpcError
from registry.chain.rpc import RpcChain
from scripts.faults.gate import Gate

DEEPEST = 64
BLOCK_SECONDS = 1.0
LONGEST_PAUSE = 0.2
"""Seconds between two checks of the clock, so that it stops soon."""


class Miner:
    """A miner that makes a block per second on an anvil started with `--no-mining`, in its own thread.

    Args:
        url: The URL of anvil.
        gate: The gate before it; closed during reorganisations.
        seed: The seed of depths and choices.
    """

    def __init__(self, url: str, gate: Gate, seed: int) -> None:
        self._chain = RpcChain([url])
        self._gate = gate
        self._random = random.Random(seed)
        self._pause: float | None = None
        self._lowest = 0
        self._highest = 0
        self._stop = threading.Event()
        self._taking_back = threading.Lock()
        self.depths: Counter[int] = Counter()
        """The number of reorganisations by depth in blocks."""
        self._thread = threading.Thread(target=self._run, name="miner")
        self._thread.start()

    def begin_reorganising(self, pause: float) -> None:
        """Start reorganising blocks above the current head.

        Args:
            pause: The mean time between two reorganisations, seconds.
        """
        self._lowest = int(self._chain.request("eth_blockNumber"), 16)
        self._pause = pause

    def end_reorganising(self) -> None:
        """Stop reorganising; return when the current reorganisation is over."""
        with self._taking_back:
            self._pause = None

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        self._thread.join()
        self._chain.close()

    def _run(self) -> None:
        next_block = time.monotonic()
        next_reorganisation: float | None = None
        while not self._stop.wait(min(LONGEST_PAUSE, max(0.0, next_block - time.monotonic()))):
            now = time.monotonic()
            if now >= next_block:
                self._try(self._make)
                next_block = max(now, next_block + BLOCK_SECONDS)
            pause = self._pause  # Read once, because another thread sets it.
            if pause is None:
                next_reorganisation = None
            elif next_reorganisation is None or now >= next_reorganisation:
                if next_reorganisation is not None:
                    self._try(self._take_back_if_wanted)
                next_reorganisation = now + self._random.expovariate(1 / pause)

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except (RpcError, ChainUnavailable):
            return  # anvil is too busy; the next block follows.

    def _make(self) -> None:
        # Otherwise anvil's clock continues from the last remaining block, and falls behind more and more.
        latest = self._chain.request("eth_getBlockByNumber", ["latest", False])
        self._chain.request("evm_mine", [hex(max(int(time.time()), int(latest["timestamp"], 16) + 1))])

    def _take_back_if_wanted(self) -> None:
        with self._taking_back:
            if self._pause is not None:
                self._take_back()

    def _take_back(self) -> None:
        height = int(self._chain.request("eth_blockNumber"), 16)
        self._highest = max(self._highest, height)
        # Two in a row must not exceed the deepest together, so that final blocks remain.
        lowest = max(self._lowest, self._highest - DEEPEST)
        # Mostly shallow, sometimes as deep as possible.
        depth = min(int(self._random.paretovariate(0.5)), DEEPEST, height - lowest)
        if depth < 1:
            return
        kept: list[tuple[str, int]] = []
        style = self._random.choice(["dropped", "moved", "some"])
        for number in range(height - depth + 1, height + 1):
            block = self._chain.request("eth_getBlockByNumber", [hex(number), False])
            for transaction_hash in block["transactions"]:
                if style == "moved" or (style == "some" and self._random.random() < 0.7):
                    raw = self._chain.request("eth_getRawTransactionByHash", [transaction_hash])
                    # In their order, so that nonces match, but all in one block, so that most change their place.
                    kept.append((raw, depth - 1))
        with self._gate.closed():
            self._chain.request("anvil_reorg", [depth, kept])
        self.depths[depth] += 1
