"""Who makes an anvil's blocks and takes them back: transactions dropped, put back in other blocks, or some of both.

One thread does both, one after the other. An anvil that makes its blocks by itself may be at one while others are taken
back, and then loses blocks: the run would end without a verdict.
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
"""Seconds between two looks at the clock, so that it ends soon when told to."""


class Miner:
    """Makes a block a second on an anvil started with `--no-mining`. Runs on a thread of its own.

    Args:
        url: The anvil.
        gate: Before it; closed while blocks are taken back.
        seed: Of depths and choices.
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
        """How many reorganisations there have been, by depth in blocks."""
        self._thread = threading.Thread(target=self._run, name="miner")
        self._thread.start()

    def begin_reorganising(self, pause: float) -> None:
        """From now on blocks are taken back too; the present head and what lies below it stay.

        Args:
            pause: Seconds between two, on average.
        """
        self._lowest = int(self._chain.request("eth_blockNumber"), 16)
        self._pause = pause

    def end_reorganising(self) -> None:
        """From now on blocks are only made. Return when the reorganisation at hand is over."""
        with self._taking_back:
            self._pause = None

    def close(self) -> None:
        """End it."""
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
            pause = self._pause  # Once: another thread sets it.
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
            return  # anvil is too busy just now: the next one will do.

    def _make(self) -> None:
        # Left to itself, anvil's clock goes on from the last block that stayed, and so falls ever further behind.
        latest = self._chain.request("eth_getBlockByNumber", ["latest", False])
        self._chain.request("evm_mine", [hex(max(int(time.time()), int(latest["timestamp"], 16) + 1))])

    def _take_back_if_wanted(self) -> None:
        with self._taking_back:
            if self._pause is not None:
                self._take_back()

    def _take_back(self) -> None:
        height = int(self._chain.request("eth_blockNumber"), 16)
        self._highest = max(self._highest, height)
        # Two in a row must not add up to more than the deepest: what was final for somebody stays.
        lowest = max(self._lowest, self._highest - DEEPEST)
        # Mostly shallow, now and then as deep as it goes.
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
                    # In their order, so that nonces fit, but all crowded into one block: most change their place.
                    kept.append((raw, depth - 1))
        with self._gate.closed():
            self._chain.request("anvil_reorg", [depth, kept])
        self.depths[depth] += 1
