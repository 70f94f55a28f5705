"""The JSON-RPC client against servers that misbehave in every way we know."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.chain import rpc
from registry.chain.client import ChainIdentity, ChainUnavailable, RpcError, WrongChain
from registry.chain.rpc import Fault, RpcChain
from registry.devchain.embedded import EmbeddedChain
from scripts.faults.ports import free_port
from tests.chain.faulty_server import FaultyServer
from tests.chain.wallet import RELAYER, Wallet
from tests.fixtures.chains import StartAnvil
from tests.fixtures.waiting import PATIENCE


@pytest.fixture(scope="module")
def served() -> Iterator[EmbeddedChain]:
    chain = EmbeddedChain.in_memory(RELAYER)
    yield chain
    chain.close()


@pytest.fixture(scope="module")
def other() -> Iterator[EmbeddedChain]:
    chain = EmbeddedChain.in_memory(RELAYER, clock=lambda: time.time() - 1000)
    yield chain
    chain.close()


@pytest.fixture
def server(served: EmbeddedChain) -> Iterator[FaultyServer]:
    server = FaultyServer(served)
    yield server
    server.close()


@pytest.fixture
def second(served: EmbeddedChain) -> Iterator[FaultyServer]:
    server = FaultyServer(served)
    yield server
    server.close()


@pytest.mark.parametrize(
    ("fault", "counted", "told"),
    [
        ("hang up before", Fault.DISCONNECTED, "is unreachable or closed the connection"),
        ("hang up after", Fault.DISCONNECTED, "is unreachable or closed the connection"),
        ("half", Fault.DISCONNECTED, "is unreachable or closed the connection"),
        ("slow", Fault.TIMEOUT, "did not answer within 3 s"),
        ("drip", Fault.TIMEOUT, "did not finish its answer within 3 s"),
        ("429", Fault.BUSY, "is busy .HTTP 429."),
        ("503", Fault.BUSY, "is busy .HTTP 503."),
        ("500", Fault.HTTP_STATUS, "HTTP status 500"),
        ("wrong id", Fault.WRONG_ID, "answered a different request"),
        ("id as text", Fault.WRONG_ID, "answered a different request"),
        ("no result", Fault.MALFORMED, "neither a result nor an error"),
        ("null", Fault.MALFORMED, "did not answer a request"),
        ("empty", Fault.MALFORMED, "invalid JSON"),
        ("page", Fault.MALFORMED, "invalid JSON"),
    ],
)
def test_one_endpoint_that_fails_is_unavailable_and_two_hide_it(
    server: FaultyServer, second: FaultyServer, fault: str, counted: Fault, told: str
) -> None:
    faults: list[Fault] = []
    timeout = 3.0 if counted is Fault.TIMEOUT else PATIENCE
    chain = RpcChain([server.url], timeout=timeout, observe=faults.append)
    height = chain.request("eth_blockNumber")
    server.faults.append(fault)
    with pytest.raises(ChainUnavailable, match=told):
        chain.request("eth_blockNumber")
    assert faults == [counted]
    assert chain.request("eth_blockNumber") == height, "it recovers by itself"
    chain.close()

    both = RpcChain([server.url, second.url], timeout=timeout)
    both.request("eth_blockNumber")
    server.faults.append(fault)
    assert both.request("eth_blockNumber") == height
    before = len(server.requests)
    both.request("eth_blockNumber")
    assert len(server.requests) == before, "the one that works is kept"
    both.close()


def test_all_endpoints_gone_names_each_without_its_key() -> None:
    ports = free_port(), free_port()
    chain = RpcChain([f"http://127.0.0.1:{port}/v3/s3cret?key=s3cret" for port in ports])
    with pytest.raises(ChainUnavailable) as caught:
        chain.request("eth_blockNumber")
    assert all(f"http://127.0.0.1:{port} " in caught.value.message for port in ports)
    assert "s3cret" not in str(caught.value), "R10: no key in an error"
    chain.close()


def test_errors_of_the_node_are_its_answer(server: FaultyServer, second: FaultyServer) -> None:
    chain = RpcChain([server.url, second.url])
    with pytest.raises(RpcError) as caught:
        chain.request("eth_nonsense")
    assert caught.value.code == -32601
    assert second.requests == [], "an error of the node is an answer: no other endpoint is asked"
    server.faults.append("400 with an answer")
    with pytest.raises(RpcError, match="not like this"):
        chain.request("eth_blockNumber")
    assert chain.request("eth_getTransactionReceipt", ["0x" + "00" * 32]) is None, "null is an answer too"
    chain.close()


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_busy_endpoint_is_left_alone_for_as_long_as_it_asked(
    server: FaultyServer, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = RpcChain([server.url])
    chain.request("eth_blockNumber")
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=240), usegmt=True)
    server.faults.append(f"429 {'240' if form == 'seconds' else date}")
    with pytest.raises(ChainUnavailable) as caught:
        chain.request("eth_blockNumber")
    assert caught.value.retry_after is not None
    assert 1 < caught.value.retry_after <= 240
    asked = len(server.requests)
    with pytest.raises(ChainUnavailable, match="asked for no requests"):
        chain.request("eth_blockNumber")
    assert len(server.requests) == asked
    monkeypatch.setattr(rpc, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 241))
    assert chain.request("eth_blockNumber")
    chain.close()


def test_first_contact_pins_the_chain(server: FaultyServer, other: EmbeddedChain, served: EmbeddedChain) -> None:
    chain = RpcChain([server.url])
    assert chain.identity == served.identity
    server.faults.append("hang up before")
    with pytest.raises(ChainUnavailable):
        chain.request("eth_blockNumber")
    server.chain = other
    with pytest.raises(WrongChain, match=str(other.identity)):
        chain.request("eth_blockNumber")
    server.chain = served
    assert chain.request("eth_blockNumber")
    chain.close()


def test_endpoint_of_another_chain_is_refused_and_not_passed_over(
    server: FaultyServer, second: FaultyServer, served: EmbeddedChain
) -> None:
    for expected in (
        ChainIdentity(served.identity.chain_id + 1, served.identity.genesis_hash),
        ChainIdentity(served.identity.chain_id, Bytes32(bytes(32))),
    ):
        faults: list[Fault] = []
        chain = RpcChain([server.url, second.url], expected=expected, observe=faults.append)
        with pytest.raises(WrongChain, match="; expected chain"):
            chain.request("eth_blockNumber")
        assert faults == [Fault.WRONG_CHAIN]
        assert second.requests == []
        chain.close()


def test_node_swapped_behind_the_same_address_is_noticed_on_the_new_connection(
    start_anvil: StartAnvil, server: FaultyServer
) -> None:
    port = free_port()
    process, url = start_anvil("--chain-id", "1001", port=port)
    chain = RpcChain([url])
    assert chain.request("eth_chainId") == hex(1001)
    process.kill()
    process.wait()
    start_anvil("--chain-id", "1001", "--timestamp", "1700000000", port=port)
    noticed = False
    for _ in range(2):
        # The first request may still find the old connection closed; what matters is that no answer gets through.
        try:
            chain.request("eth_blockNumber")
        except ChainUnavailable:
            continue
        except WrongChain:
            noticed = True
            break
        pytest.fail("an answer of another chain's node was used")
    assert noticed
    chain.close()


@pytest.mark.parametrize("fault", ["wrong id", "no result", "null", "one missing", "page"])
def test_list_of_which_one_answer_is_unusable_is_unavailable(server: FaultyServer, fault: str) -> None:
    chain = RpcChain([server.url])
    chain.request("eth_blockNumber")
    server.faults.append(fault)
    with pytest.raises(ChainUnavailable):
        chain.batch([("eth_blockNumber", ()), ("eth_chainId", ())])
    chain.close()


def test_list_answered_in_another_order_is_put_in_order(server: FaultyServer, served: EmbeddedChain) -> None:
    chain = RpcChain([server.url])
    chain.request("eth_blockNumber")
    server.faults.append("reversed")
    answers = chain.batch([("eth_chainId", ()), ("net_version", ()), ("eth_syncing", ())])
    assert answers == [hex(served.identity.chain_id), str(served.identity.chain_id), False]
    chain.close()


def test_list_that_the_node_refuses_is_an_error_for_each(server: FaultyServer) -> None:
    chain = RpcChain([server.url])
    chain.request("eth_blockNumber")
    server.faults.append("list refused")
    answers = chain.batch([("eth_chainId", ()), ("net_version", ())])
    assert [isinstance(answer, RpcError) for answer in answers] == [True, True]
    chain.close()


def test_transaction_whose_answer_was_lost_can_be_sent_again(server: FaultyServer, served: EmbeddedChain) -> None:
    chain = RpcChain([server.url])
    wallet = Wallet(chain)
    raw = wallet.sign(value=1)
    server.faults.append("hang up after")
    with pytest.raises(ChainUnavailable):
        chain.request("eth_sendRawTransaction", [raw])
    with pytest.raises(RpcError, match=r"nonce too low|already known"):
        chain.request("eth_sendRawTransaction", [raw])
    assert int(chain.request("eth_getTransactionCount", [str(RELAYER), "latest"]), 16) == wallet.nonce + 1
    chain.close()


def test_many_threads_share_connections_and_get_their_own_answers(server: FaultyServer) -> None:
    chain = RpcChain([server.url])
    wrong: list[object] = []

    def ask(address: str, balance: str) -> None:
        for _ in range(20):
            answer = chain.request("eth_getBalance", [address])
            if answer != balance:
                wrong.append(answer)

    known = [str(RELAYER), "0x" + "00" * 20]
    threads = [
        threading.Thread(target=ask, args=(address, chain.request("eth_getBalance", [address])))
        for address in known * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert server.connections <= 9, "connections are kept"
    chain.close()


@pytest.mark.parametrize("urls", [[], ["ws://localhost:1"], ["localhost:8545"], ["http://"]])
def test_url_that_is_none_is_refused(urls: list[str]) -> None:
    with pytest.raises(InvalidInput):
        RpcChain(urls)


def test_client_is_light_to_import() -> None:
    heavy = ("web3", "eth", "eth_account", "eth_abi", "rlp", "trie")
    code = f"import sys, registry.chain.rpc; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
