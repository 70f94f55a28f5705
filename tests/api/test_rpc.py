"""The read-only JSON-RPC: the chain's own answers, and no method that changes anything."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.routes import rpc
from registry.devchain import calculator_process
from registry.devchain.budget import Budget
from registry.devchain.calculator_process import Lane
from registry.devchain.embedded import EmbeddedChain
from registry.relay.signing import Signer
from tests.api.world import RELAYER_SECRET, Gateway, open_node, running
from tests.fixtures.waiting import PATIENCE, eventually

TELL_GAS = "0x5a60005260206000f3"  # GAS PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN


def call(method: str, *params: object, call_id: object = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": list(params)}


def ask(gateway: Gateway, body: object) -> Any:
    answer = gateway.http.post("/rpc", json=body)
    assert answer.status_code == 200
    return answer.json()


def test_a_call_is_answered_as_the_chain_answers_it(gateway: Gateway) -> None:
    code = ask(gateway, call("eth_getCode", str(gateway.deployment.address_of("DatasetRegistry")), "latest"))
    expected = gateway.node.chain.request(
        "eth_getCode", [str(gateway.deployment.address_of("DatasetRegistry")), "latest"]
    )
    assert code == {"jsonrpc": "2.0", "id": 1, "result": expected}
    assert len(expected) > 1000


def test_an_array_is_answered_in_order_with_errors_in_their_places(gateway: Gateway) -> None:
    calls = [call("eth_chainId", call_id="a"), call("eth_call", {"to": "0x12"}, "latest", call_id=2), 7]
    first, second, third = ask(gateway, calls)
    assert (first["id"], int(first["result"], 16)) == ("a", gateway.deployment.chain_id)
    assert (second["id"], second["error"]["code"]) == (2, -32602)
    assert third["error"]["code"] == -32600


@pytest.mark.parametrize(
    "method",
    ["eth_sendRawTransaction", "eth_sendTransaction", "eth_accounts", "evm_mine", "personal_sign", "close", ""],
)
def test_what_does_not_only_read_is_not_offered(gateway: Gateway, method: str) -> None:
    assert ask(gateway, call(method, "0x"))["error"]["code"] == -32601


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": {}, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 2**64, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 10**30, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        [],
        [{}] * (rpc.MAX_CALLS + 1),
        "eth_chainId",
    ],
)
def test_a_malformed_call_is_an_error_in_json_rpcs_form(gateway: Gateway, body: object) -> None:
    assert ask(gateway, body)["error"]["code"] == -32600


def process_of(gateway: Gateway) -> int:
    chain = gateway.node.chain
    assert isinstance(chain, EmbeddedChain)
    chain.prepare(Lane.QUICK)
    process = chain._calculators[Lane.QUICK]._process
    assert process is not None
    return process.pid


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_feeHistory", [2**64, "latest"]),
        ("eth_feeHistory", ["0x1", "latest", [2**64]]),
        ("eth_getLogs", [{"fromBlock": 2**70}]),
        ("eth_call", [{"data": "0x", "nonce": 2**64}, "latest"]),
        ("eth_getBlockByNumber", [2**64, False]),
        ("eth_call", [{"data": "0x", "gas": 21_000}, "latest"]),
        ("eth_call", [{"data": "0x", "gas": "0X5208"}, "latest"]),
        ("eth_estimateGas", [{"data": "0x", "gas": "much"}, "latest"]),
    ],
)
def test_numbers_that_cannot_be_passed_on_are_refused_and_cost_others_nothing(
    shared_on_disk: Gateway, patient: None, method: str, params: list[object]
) -> None:
    """What is passed on to a process, or to a node, is JSON of 64 bits; a number beyond ended the process."""
    process = process_of(shared_on_disk)
    refused, answered = ask(shared_on_disk, [call(method, *params), call("eth_chainId")])
    chain_id = ask(shared_on_disk, call("eth_chainId"))["result"]
    assert (refused["error"]["code"], answered["result"]) == (-32602, chain_id)
    assert process_of(shared_on_disk) == process


def test_no_form_of_gas_is_a_way_past_what_one_request_may_burn(gateway: Gateway) -> None:
    asked = [
        call("eth_call", {"data": TELL_GAS, **gas}, "latest")
        for gas in ({}, {"gas": None}, {"gas": hex(2**24)}, {"gas": "0x" + "f" * 64})
    ]
    left = [int(answer["result"], 16) for answer in ask(gateway, asked)]
    assert max(left) < rpc.EVM_GAS // len(asked)


def test_null_is_no_call(gateway: Gateway) -> None:
    answer = gateway.http.post("/rpc", content=b"null", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, -32600)


def test_params_that_are_no_array_are_refused(gateway: Gateway) -> None:
    assert ask(gateway, call("eth_chainId") | {"params": {}})["error"]["code"] == -32602


def test_an_answer_that_would_be_huge_is_refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "MAX_ANSWER_BYTES", 1000)
    code = call("eth_getCode", str(gateway.deployment.address_of("DatasetRegistry")), "latest")
    assert ask(gateway, code)["error"]["code"] == -32005


def test_a_revert_carries_its_data(gateway: Gateway) -> None:
    """ERC-721's `ownerOf` of a token without an owner: the answer has the contract's own error."""
    calldata = "0x6352211e" + "00" * 32
    answer = ask(
        gateway,
        call("eth_call", {"to": str(gateway.deployment.address_of("DatasetRegistry")), "data": calldata}, "latest"),
    )
    assert answer["error"]["code"] == 3
    assert answer["error"]["data"] == "0x7e273289" + "00" * 32  # ERC721NonexistentToken(uint256)


@pytest.mark.parametrize("field", ["id", "method"])
def test_an_unpaired_surrogate_is_no_text(gateway: Gateway, field: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", field: "\ud800"}
    content = json.dumps(body).encode()
    answer = gateway.http.post("/rpc", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-json")
    paired = json.dumps({**body, field: "\U0001f600"}).encode()
    assert gateway.http.post("/rpc", content=paired, headers={"content-type": "application/json"}).status_code == 200


def test_calls_that_burn_gas_share_what_one_request_may_burn(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "EVM_GAS", 800_000)
    alone = ask(gateway, call("eth_call", {"data": TELL_GAS, "gas": "0xffffffffffffffffffff"}, "latest"))
    assert 700_000 < int(alone["result"], 16) < 800_000
    less = ask(gateway, call("eth_call", {"data": TELL_GAS, "gas": hex(100_000)}, "latest"))
    assert int(less["result"], 16) < 100_000
    many = ask(gateway, [call("eth_call", {"data": TELL_GAS}, "latest")] * 8 + [call("eth_chainId")])
    assert all(int(one["result"], 16) < 100_000 for one in many[:8])
    assert int(many[8]["result"], 16) == gateway.deployment.chain_id
    loops = "0x5b600056"  # JUMPDEST PUSH1 0 JUMP
    assert "error" in ask(gateway, call("eth_estimateGas", {"data": loops}))
    assert ask(gateway, call("eth_call", {"data": TELL_GAS, "gas": "much"}))["error"]["code"] == -32602


def test_waiting_for_a_thread_is_no_part_of_the_time(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A7: an honest request that waits after strangers' slow requests is answered in its turn."""
    held: list[float] = []

    def observed(*arguments: Any, **named: Any) -> Budget:
        held.append(rpc._limiter.borrowed_tokens)
        return Budget(*arguments, **named)

    monkeypatch.setattr(rpc, "Budget", observed)
    ask(gateway, call("eth_chainId"))
    assert held == [1], "the time begins when the request has its place"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The computing processes have no time limit."""
    monkeypatch.setattr(calculator_process, "GRACE_SECONDS", PATIENCE)
    monkeypatch.setattr(rpc, "SECONDS", PATIENCE)


@contextmanager
def gateway_on_disk(folder: Path) -> Iterator[Gateway]:
    """A gateway whose chain computes in processes of their own."""
    chain = EmbeddedChain.open(folder / "chain", Signer(RELAYER_SECRET).address, mine_interval=0.01)
    with open_node(folder, chain=chain) as node, running(node) as gateway:
        yield gateway


@pytest.fixture
def on_disk(tmp_path: Path, patient: None) -> Iterator[Gateway]:
    """Such a gateway for one test."""
    with gateway_on_disk(tmp_path) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def shared_on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Such a gateway for tests that do not change it."""
    with gateway_on_disk(tmp_path_factory.mktemp("on-disk")) as gateway:
        yield gateway


TELL_CHAIN_ID = {"data": "0x4660005260206000f3"}  # CHAINID PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN


def test_who_asks_for_little_does_not_wait_behind_who_asks_for_much(
    on_disk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A7: an auditor's question is answered while a stranger's computation goes on."""
    lanes = rpc._lanes
    endless = call("eth_call", {"data": "0x5b600056", "gas": "0x400000"}, "latest")
    with ThreadPoolExecutor(1) as strangers:
        computing = strangers.submit(ask, on_disk, endless)
        eventually(lambda: lanes[Lane.SLOW].borrowed_tokens == 1 and not lanes[Lane.QUICK].borrowed_tokens)
        process = eventually(lambda: on_disk.node.chain._calculators[Lane.SLOW]._process)
        os.kill(process.pid, signal.SIGSTOP)  # Its computation lasts as long as this test wants.
        try:
            monkeypatch.setattr(rpc, "QUICK_SECONDS", PATIENCE)
            answer = ask(on_disk, call("eth_call", TELL_CHAIN_ID, "latest"))
            assert int(answer["result"], 16) == on_disk.deployment.chain_id
            assert lanes[Lane.SLOW].borrowed_tokens == 1
        finally:
            os.kill(process.pid, signal.SIGCONT)
        assert "OutOfGas" in computing.result()["error"]["message"]


def test_what_the_quick_lane_has_no_time_for_is_answered_by_the_slow_one(
    on_disk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "QUICK_SECONDS", 0.0)
    loops = {"data": "0x5b600056", "gas": hex(200_000)}
    chain_id, looped = ask(on_disk, [call("eth_chainId"), call("eth_call", loops, "latest")])
    assert int(chain_id["result"], 16) == on_disk.deployment.chain_id
    assert "OutOfGas" in looped["error"]["message"]
    assert on_disk.node.chain._calculators[Lane.SLOW]._process is not None


def test_who_asks_for_little_stays_in_the_quick_lane_however_slow_the_machine_is(
    on_disk: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that needs a tenth of a second before it computes once sent everything to the slow lane."""
    monkeypatch.setattr(rpc, "QUICK_SECONDS", PATIENCE)
    ask(on_disk, call("eth_call", TELL_CHAIN_ID, "latest"))  # What a process computes at its first call alone.
    monkeypatch.setattr(rpc, "QUICK_SECONDS", 0.0)
    monkeypatch.setitem(rpc.WAITING, Lane.SLOW, 0)
    answer = ask(on_disk, call("eth_call", TELL_CHAIN_ID, "latest"))
    assert int(answer["result"], 16) == on_disk.deployment.chain_id


@pytest.mark.parametrize(("lane", "after"), [(Lane.QUICK, "1"), (Lane.SLOW, "5")])
def test_who_would_wait_behind_too_many_is_told_when_to_come_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, lane: Lane, after: str
) -> None:
    monkeypatch.setattr(rpc, "QUICK_SECONDS", 0.0)
    monkeypatch.setitem(rpc.WAITING, lane, 0)
    answer = gateway.http.post("/rpc", json=call("eth_call", TELL_CHAIN_ID, "latest"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, after)
    assert answer.json()["type"] == "/problems/unavailable"
    assert ask(gateway, call("eth_chainId"))["result"], "light questions do not wait there"
