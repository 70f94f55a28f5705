"""Capabilities of nodes, in the answers of each client, and the resulting rule of finality."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from registry.base.primitives import Address
from registry.chain.capabilities import Capabilities, FinalizedTag, detect
from registry.chain.client import Chain, ChainUnavailable, RpcError
from registry.chain.finality import FinalityRule
from registry.chain.rpc import RpcChain
from registry.devchain.embedded import EmbeddedChain
from registry.witness.follow import final_header
from tests.chain.faulty_server import FaultyServer
from tests.fixtures.altered import OneByOne
from tests.fixtures.chains import StartAnvil

NOT_FOUND = RpcError(-32000, "finalized block not found")
"""geth 1.13 to 1.17."""
UNKNOWN_BLOCK = RpcError(-39001, "Unknown block")
"""Besu."""
UNKNOWN_TAG = RpcError(-32602, "invalid argument 0: hex string without 0x prefix")
"""geth before 1.10.18."""
NO_METHOD = RpcError(-32601, "the method does not exist/is not available")
OWNER = Address(b"\x11" * 20)


class Variant(OneByOne):
    """A chain that answers some requests as another client would.

    Args:
        chain: What answers all others.
        answers: The answers by method, and for blocks by "finalized"; None for JSON's null.
        difficulty: What its blocks state.
    """

    def __init__(self, chain: Chain, answers: dict[str, Any], difficulty: int) -> None:
        super().__init__(chain)
        self.answers = answers
        self._difficulty = hex(difficulty)

    @property
    def identity(self) -> Any:
        return self._chain.identity

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        name = "finalized" if params and params[0] == "finalized" else method
        if name in self.answers:
            answer = self.answers[name]
            if isinstance(answer, RpcError):
                raise answer
            return answer
        answer = self._chain.request(method, params)
        return answer | {"difficulty": self._difficulty} if method == "eth_getBlockByNumber" and answer else answer


@pytest.fixture
def honest() -> Iterator[Chain]:
    chain = EmbeddedChain.in_memory(OWNER)
    yield chain
    chain.close()


CLIENTS = {
    "geth with Clique": (NOT_FOUND, 2, FinalizedTag.ABSENT),
    "Besu with QBFT": (UNKNOWN_BLOCK, 1, FinalizedTag.ABSENT),
    "null under proof of work": (None, 17_000_000, FinalizedTag.ABSENT),
    "a client that does not know the tag": (UNKNOWN_TAG, 0, FinalizedTag.ABSENT),
    "geth before the first finalized block": (NOT_FOUND, 0, FinalizedTag.NOT_YET),
    "Besu before the first finalized block": (UNKNOWN_BLOCK, 0, FinalizedTag.NOT_YET),
    "null before the first finalized block": (None, 0, FinalizedTag.NOT_YET),
}


@pytest.mark.parametrize(("answer", "difficulty", "expected"), CLIENTS.values(), ids=CLIENTS)
def test_a_node_without_a_finalized_block_is_told_from_one_that_has_none_yet(
    honest: Chain, answer: Any, difficulty: int, expected: FinalizedTag
) -> None:
    """Over HTTP, as a node answers."""
    server = FaultyServer(Variant(honest, {"finalized": answer}, difficulty))
    chain = RpcChain([server.url])
    rule = FinalityRule()
    try:
        assert detect(chain).finalized is expected
        assert rule.to_json() is None
        assert rule.depth(chain) == (12 if expected is FinalizedTag.ABSENT else None)
    finally:
        chain.close()
        server.close()
    depth = {"by": "depth", "blocks": 12}
    assert rule.to_json() == (depth if expected is FinalizedTag.ABSENT else {"by": "finalized"})


def test_what_anvil_offers(start_anvil: StartAnvil) -> None:
    process, url = start_anvil()
    chain = RpcChain([url])
    offered = detect(chain)
    chain.close()
    process.kill()
    assert offered.client.startswith("anvil/")
    assert offered == Capabilities(
        offered.client, FinalizedTag.OFFERED, block_receipts=True, proofs=True, base_fee=True
    )


def test_what_a_poor_node_lacks(honest: Chain) -> None:
    latest = {name: value for name, value in _latest(honest).items() if name != "baseFeePerGas"} | {"difficulty": "0x1"}
    answers = {
        "web3_clientVersion": NO_METHOD,
        "eth_getBlockReceipts": NO_METHOD,
        "eth_getProof": NO_METHOD,
        "finalized": NO_METHOD,
        "eth_getBlockByNumber": latest,
    }
    assert detect(Variant(honest, answers, 1)) == Capabilities(
        "", FinalizedTag.ABSENT, block_receipts=False, proofs=False, base_fee=False
    )


def test_a_rule_is_decided_once_and_logged_once(honest: Chain, caplog: pytest.LogCaptureFixture) -> None:
    """What is final must not depend on which of several endpoints answers."""
    caplog.set_level(logging.INFO, "registry")
    without = Variant(honest, {"finalized": NOT_FOUND, "web3_clientVersion": "Geth/v1.13.15"}, 2)
    rule = FinalityRule()
    assert [rule.depth(chain) for chain in (without, honest, without)] == [12, 12, 12]
    (line,) = caplog.messages
    assert "Geth/v1.13.15 has no finalized blocks" in line
    assert "12 blocks on top" in line


def test_a_chosen_rule_asks_no_node(honest: Chain) -> None:
    class Silent(Variant):
        def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
            raise ChainUnavailable("The node is silent.")

    silent = Silent(honest, {}, 0)
    assert FinalityRule(3).depth(silent) == 3
    assert FinalityRule("finalized").depth(silent) is None
    with pytest.raises(ChainUnavailable):
        FinalityRule().depth(silent)


def test_a_witness_follows_a_chain_that_finalizes_nothing(start_anvil: StartAnvil) -> None:
    process, url = start_anvil()
    anvil = RpcChain([url])
    anvil.request("anvil_mine", ["0x14"])
    chain = Variant(anvil, {"finalized": NOT_FOUND}, 0)
    with pytest.raises(ChainUnavailable, match="no finalized block") as raised:
        final_header(chain, FinalityRule("finalized"))
    assert "--finality 12" in raised.value.hint
    rule = FinalityRule()
    rule.decide(Capabilities("Geth", FinalizedTag.ABSENT, block_receipts=True, proofs=True, base_fee=True))
    assert final_header(chain, rule).number == 20 - 12
    anvil.close()
    process.kill()


def _latest(chain: Chain) -> dict[str, Any]:
    latest: dict[str, Any] = json.loads(json.dumps(chain.request("eth_getBlockByNumber", ["latest", False])))
    return latest
