"""The same chain in three kinds: in memory, on disk, and anvil reached over HTTP."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from registry.chain.client import Chain, ChainUnavailable
from registry.chain.embedded import EmbeddedChain
from registry.chain.rpc import RpcChain
from scripts.faults.ports import free_port
from tests.chain.wallet import RELAYER, Wallet

ANVIL = Path(__file__).parents[2] / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"


class StartAnvil(Protocol):
    def __call__(self, *arguments: str, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]: ...


@pytest.fixture(scope="session")
def start_anvil() -> Iterator[StartAnvil]:
    """Gives a function that starts anvil with more arguments, and returns its process and its URL."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
        chosen = port or free_port()
        process = subprocess.Popen(
            [ANVIL, "--port", str(chosen), "--silent", "--hardfork", "prague", *arguments], stdin=subprocess.DEVNULL
        )
        started.append(process)
        url = f"http://127.0.0.1:{chosen}"
        probe = RpcChain([url], timeout=2.0)
        for _ in range(200):
            try:
                probe.request("eth_chainId")
                break
            except ChainUnavailable:
                time.sleep(0.05)
        probe.close()
        return process, url

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module", params=["in memory", "on disk", "anvil"])
def chain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, start_anvil: StartAnvil
) -> Iterator[Chain]:
    opened: Chain
    if request.param == "in memory":
        opened = EmbeddedChain.in_memory(RELAYER)
    elif request.param == "on disk":
        opened = EmbeddedChain.open(tmp_path_factory.mktemp("chain"), RELAYER)
    else:
        opened = RpcChain([start_anvil("--chain-id", "31337")[1]])
    yield opened
    opened.close()


@pytest.fixture
def wallet(chain: Chain) -> Wallet:
    """The relayer's wallet, at the nonce that the chain expects."""
    return Wallet(chain)
