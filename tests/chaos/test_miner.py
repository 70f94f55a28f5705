"""The chain of the chaos run: it loses transactions and blocks when told to, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from registry.chain.client import RpcError
from registry.chain.rpc import RpcChain
from scripts.faults import miner
from scripts.faults.gate import Gate
from scripts.faults.miner import Miner
from tests.fixtures.chains import StartAnvil

SECONDS = 6.0


@pytest.fixture
def anvil_url(start_anvil: StartAnvil) -> Iterator[str]:
    process, url = start_anvil("--no-mining", "--order", "fifo")
    yield url
    assert process.poll() is None, "anvil has ended by itself"
    process.kill()
    process.wait()


def test_every_block_follows_another_however_many_were_taken_back(
    anvil_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain that loses blocks would end a chaos run without a verdict."""
    monkeypatch.setattr(miner, "BLOCK_SECONDS", 0.02)
    with closing(RpcChain([anvil_url])) as chain:
        account = chain.request("eth_accounts")[0]
        with closing(Miner(anvil_url, Gate(), seed=1)) as working:
            working.begin_reorganising(pause=0.05)
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline:
                with suppress(RpcError):  # What was sent once may be in a block already.
                    chain.request("eth_sendTransaction", [{"from": account, "to": account, "value": "0x1"}])
        assert working.depths.total() > 5
        height = int(chain.request("eth_blockNumber"), 16)
        blocks = chain.batch([("eth_getBlockByNumber", [hex(number), False]) for number in range(height + 1)])
    assert None not in blocks
    assert [block["parentHash"] for block in blocks[1:]] == [block["hash"] for block in blocks[:-1]]
    assert any(block["transactions"] for block in blocks)


def test_nobody_is_within_a_gate_that_is_closed() -> None:
    gate = Gate()
    told: list[str] = []

    async def visit(seconds: float) -> None:
        async with gate.within():
            told.append("in")
            await asyncio.sleep(seconds)
            told.append("out")

    async def run() -> None:
        first = asyncio.create_task(visit(0.2))
        await asyncio.sleep(0.05)
        closing_it = asyncio.create_task(asyncio.to_thread(close))
        await asyncio.sleep(0.05)
        await asyncio.gather(first, closing_it, visit(0.0))

    def close() -> None:
        with gate.closed():
            told.append("closed")
            time.sleep(0.2)
            told.append("open")

    asyncio.run(run())
    assert told == ["in", "out", "closed", "open", "in", "out"]
