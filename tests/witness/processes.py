"""`tdr` in processes of its own, and chains that share their first block and nothing else."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from registry.chain.history import block_at
from registry.chain.rpc import RpcChain
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, SigningKey
from tests.fixtures.chains import StartAnvil
from tests.fixtures.commands import TDR
from tests.fixtures.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
RELAYER = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""The key of anvil's first account."""
CHAIN_ID = 31337


@contextmanager
def tdr(
    *arguments: str, log: IO[bytes], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs until the end of the block, and is then asked to stop if it still runs."""
    process = subprocess.Popen(
        [TDR, *arguments],
        cwd=ROOT, env=os.environ | dict(environment or {}), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def two_histories(start_anvil: StartAnvil, *arguments: str) -> tuple[str, str]:
    """The URLs of two nodes of one chain, by its id and its first block, whose later blocks all differ."""
    common = ("--chain-id", str(CHAIN_ID), "--timestamp", str(int(time.time()) - 3600), *arguments)
    urls = [start_anvil(*common)[1] for _ in range(2)]
    for number, url in enumerate(urls, 1):
        node = RpcChain([url])
        node.request("anvil_setCoinbase", [f"0x{number:040x}"])
        node.close()
    return urls[0], urls[1]


def mine(chain: RpcChain, count: int = 1) -> None:
    """Makes blocks."""
    chain.request("anvil_mine", [hex(count)])


def note_of(chain: RpcChain, height: int, key: SigningKey) -> Note:
    """Return the note of a signer who follows a node."""
    return key.sign(Checkpoint(CHAIN_ID, height, block_at(chain, hex(height)).hash).note(), 0)
