"""Reorganisations of an anvil: transactions dropped, put back in other blocks, or some of both."""

from __future__ import annotations

import random
import threading
from collections import Counter

from registry.chain.client import ChainUnavailable, RpcError
from registry.chain.rpc import RpcChain

DEEPEST = 64
BLOCK_SECONDS = 1


class Reorganiser:
    """Reorganises a chain again and again. Runs on a thread of its own.

    Args:
        url: The anvil.
        seed: Of depths and choices.
        pause: Seconds between two, on average.
        lowest: The height that stays.
    """

    def __init__(self, url: str, seed: int, pause: float, lowest: int) -> None:
        self._chain = RpcChain([url])
        self._random = random.Random(seed)
        self._pause = pause
        self._lowest = lowest
        self._highest = 0
        self._stop = threading.Event()
        self.depths: Counter[int] = Counter()
        """How many there have been, by depth in blocks."""
        self._thread = threading.Thread(target=self._run, name="reorganiser")
        self._thread.start()

    def stop(self) -> None:
        """Ends it."""
        self._stop.set()
        self._thread.join()
        self._chain.close()

    def _run(self) -> None:
        while not self._stop.wait(self._random.expovariate(1 / self._pause)):
            try:
                self._reorganise()
            except (RpcError, ChainUnavailable):
                continue  # A block was made meanwhile.

    def _reorganise(self) -> None:
        # anvil loses blocks if it makes one while it takes others back.
        self._chain.request("evm_setIntervalMining", [0])
        try:
            self._take_back()
        finally:
            self._chain.request("evm_setIntervalMining", [BLOCK_SECONDS])

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
            if block is None:
                return  # anvil is busy with a block.
            for transaction_hash in block["transactions"]:
                if style == "moved" or (style == "some" and self._random.random() < 0.7):
                    raw = self._chain.request("eth_getRawTransactionByHash", [transaction_hash])
                    # In their order, so that nonces fit, but all crowded into one block: most change their place.
                    kept.append((raw, depth - 1))
        self._chain.request("anvil_reorg", [depth, kept])
        self.depths[depth] += 1
