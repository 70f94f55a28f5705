"""Run as a process of its own, to be killed: sends transactions as fast as it can, and prints what is in blocks.

Each line of its output is a transaction's hash, its block's number and its block's hash.
"""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path

from registry.devchain.embedded import EmbeddedChain
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.waiting import let_others_run


def main(folder: str) -> None:
    chain = EmbeddedChain.open(Path(folder), RELAYER)
    wallet = Wallet(chain)
    sent: deque[str] = deque()
    while True:
        while len(sent) < 300:
            sent.append(wallet.send(value=1))
        receipt = chain.request("eth_getTransactionReceipt", [sent[0]])
        if receipt is None:
            let_others_run(0.005)
            continue
        sys.stdout.write(f"{sent.popleft()} {receipt['blockNumber']} {receipt['blockHash']}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
