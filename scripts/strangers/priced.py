"""A network where gas costs money: an anvil with controlled blocks and gas prices."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from registry.base.primitives import Address
from registry.chain.rpc import RpcChain
from registry.relay.fees import GWEI
from scripts.anvil import anvil

BASE_FEE: Final = 10 * GWEI
BLOCK_SECONDS: Final = 1.0
BEGUN_EARLIER: Final = 2 * 24 * 3600
"""Seconds by which the chain's clock is behind at first, so that early registrations are old later."""
_OPTIONS: Final = ("--hardfork", "prague", "--no-mining", "--order", "fifo")


@dataclass(frozen=True, slots=True)
class Spent:
    """The transactions of an account in a range of blocks, and their costs.

    Args:
        transactions: The number of its transactions.
        failed: The number of failed ones.
        fillers: The number of those that only used up a nonce.
        gas_limits: The most gas that they could use, without the fillers.
        gas: The gas that they used.
        fees: The fees that they paid, wei.
    """

    transactions: int
    failed: int
    fillers: int
    gas_limits: int
    gas: int
    fees: int


class PricedChain:
    """The network.

    Args:
        url: The URL of its node.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._chain = RpcChain([url], timeout=30.0)
        self._stop = threading.Event()
        self._miner = threading.Thread(target=self._mine, name="miner", daemon=True)

    @classmethod
    @contextlib.contextmanager
    def started(cls) -> Iterator[PricedChain]:
        """Start the network, two days behind the real clock, with a block a second."""
        begin = str(int(time.time()) - BEGUN_EARLIER)
        with anvil(options=(*_OPTIONS, "--timestamp", begin)) as w3:
            chain = cls(str(getattr(w3.provider, "endpoint_uri", "")))
            chain._miner.start()
            try:
                yield chain
            finally:
                chain._stop.set()
                chain._miner.join()
                chain._chain.close()

    def _mine(self) -> None:
        with contextlib.closing(RpcChain([self.url], timeout=30.0)) as chain:
            while not self._stop.wait(BLOCK_SECONDS):
                chain.request("anvil_setNextBlockBaseFeePerGas", [hex(BASE_FEE)])
                chain.request("evm_mine")

    def catch_up(self) -> None:
        """Move its clock forward by two days, to the real time."""
        self._chain.request("evm_increaseTime", [hex(BEGUN_EARLIER)])

    def give(self, account: Address, wei: int) -> None:
        """Set an account's balance."""
        self._chain.request("anvil_setBalance", [str(account), hex(wei)])

    def put(self, account: Address, code: bytes) -> None:
        """Set an account's code."""
        self._chain.request("anvil_setCode", [str(account), f"0x{code.hex()}"])

    def height(self) -> int:
        """Return the newest block's number."""
        return int(self._chain.request("eth_blockNumber"), 16)

    def balance(self, account: Address, height: int) -> int:
        """Return an account's balance after a block, wei."""
        return int(self._chain.request("eth_getBalance", [str(account), hex(height)]), 16)

    def spent(self, account: Address, first: int, last: int) -> Spent:
        """Return the transactions and costs of an account from one block to another, inclusive."""
        pairs = [pair for height in range(first, last + 1) for pair in self._transactions(account, height)]
        fillers = [sent for sent, _ in pairs if sent["to"] == sent["from"]]
        return Spent(
            transactions=len(pairs),
            failed=sum(receipt["status"] == "0x0" for _, receipt in pairs),
            fillers=len(fillers),
            gas_limits=sum(int(sent["gas"], 16) for sent, _ in pairs if sent["to"] != sent["from"]),
            gas=sum(int(receipt["gasUsed"], 16) for _, receipt in pairs),
            fees=sum(int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16) for _, receipt in pairs),
        )

    def _transactions(self, account: Address, height: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield an account's transactions in a block, each with its receipt."""
        block = self._chain.request("eth_getBlockByNumber", [hex(height), True])
        receipts = self._chain.request("eth_getBlockReceipts", [hex(height)]) if block["transactions"] else []
        for sent, receipt in zip(block["transactions"], receipts, strict=True):
            if Address.parse(sent["from"]) == account:
                yield sent, receipt
