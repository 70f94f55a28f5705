"""Three kinds of chain: in memory, on disk, and anvil over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.chain.client import Chain
from registry.chain.rpc import RpcChain
from registry.devchain.embedded import EmbeddedChain
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.chains import StartAnvil


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
