"""The chain of the chaos run: it loses transactions and blocks on request, and only then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from registry.chain.client import RpcError
from registry.chain.rpc import RpcChain
from scripts.faults import miner
from scripts.faults.gate import Gate
from scripts.faults.miner import Miner
from tests.fixtures.chains import StartAnvil
from tests.fixtures.waiting import PATIENCE, eventually, eventually_async, step_until

REORGANISATIONS = 8


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
        account, other = chain.request("eth_accounts")[:2]
        with closing(Miner(anvil_url, Gate(), seed=1)) as working:
            working.begin_reorganising(pause=0.05)

            def send() -> None:
                with suppress(RpcError):  # What was sent once may be in a block already.
                    chain.request("eth_sendTransaction", [{"from": account, "to": account, "value": "0x1"}])

            step_until(lambda: working.depths.total() >= REORGANISATIONS, send, pause=0.0)
            working.end_reorganising()
            # The last one may have dropped whatever was there: this one stays.
            last = chain.request("eth_sendTransaction", [{"from": other, "to": account, "value": "0x1"}])
            eventually(lambda: chain.request("eth_getTransactionReceipt", [last]) is not None)
        height = int(chain.request("eth_blockNumber"), 16)
        blocks = chain.batch([("eth_getBlockByNumber", [hex(number), False]) for number in range(height + 1)])
    assert None not in blocks
    assert [block["parentHash"] for block in blocks[1:]] == [block["hash"] for block in blocks[:-1]]
    assert any(last in block["transactions"] for block in blocks)


class CountedGate(Gate):
    """A gate that counts the tries to get through."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0

    def _enter(self) -> bool:
        self.tries += 1
        return super()._enter()


def test_nobody_is_within_a_gate_that_is_closed() -> None:
    gate = CountedGate()
    told: list[str] = []
    may_open = threading.Event()

    async def visit(may_leave: asyncio.Event) -> None:
        async with gate.within():
            told.append("in")
            await may_leave.wait()
            told.append("out")

    async def run() -> None:
        first_leaves, second_leaves = asyncio.Event(), asyncio.Event()
        second_leaves.set()
        first = asyncio.create_task(visit(first_leaves))
        await eventually_async(lambda: told == ["in"])
        closing_it = asyncio.create_task(asyncio.to_thread(close))
        await eventually_async(lambda: gate._is_closed)
        second = asyncio.create_task(visit(second_leaves))
        await eventually_async(lambda: gate.tries >= 3)
        assert told == ["in"], "it waits for the first, and the second waits for it"
        first_leaves.set()
        await eventually_async(lambda: "closed" in told)
        tries = gate.tries
        await eventually_async(lambda: gate.tries >= tries + 2)
        assert told == ["in", "out", "closed"]
        may_open.set()
        await asyncio.gather(first, closing_it, second)

    def close() -> None:
        with gate.closed():
            told.append("closed")
            may_open.wait(PATIENCE)
            told.append("open")

    asyncio.run(run())
    assert told == ["in", "out", "closed", "open", "in", "out"]
