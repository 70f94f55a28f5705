"""The common behaviour of all kinds of chain, checked with web3.py, py-trie and rlp."""

from __future__ import annotations

import time
from typing import Any

import pytest
import rlp
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from trie.hexary import HexaryTrie

from registry.chain.client import Chain, RpcError, identity_of
from registry.chain.web3 import connect
from tests.chain.contracts import CALLS_ITSELF, RETURNS_TIME, REVERTS, STORES_AND_LOGS, STORES_TIME_AND_LOGS, init_code
from tests.chain.wallet import Wallet

UNUSED_ADDRESS = "0x00000000000000000000000000000000000000aa"


def deploy(wallet: Wallet, runtime: bytes) -> str:
    receipt = wallet.receipt(wallet.send(to=None, data=init_code(runtime), gas=500_000))
    assert receipt["status"] == "0x1"
    address: str = receipt["contractAddress"]
    return address


def argument(value: int) -> str:
    return "0x" + encode(["uint256"], [value]).hex()


@pytest.fixture(scope="module")
def logger(chain: Chain) -> str:
    """A contract that has logged 1, 2, 3, 1, all sent at once; 1 and 3 by the same sender as the rest."""
    wallet = Wallet(chain)
    address = deploy(wallet, STORES_TIME_AND_LOGS)
    hashes = [wallet.send(to=address, data=argument(value), gas=200_000) for value in (1, 2, 3, 1)]
    for transaction_hash in hashes:
        assert wallet.receipt(transaction_hash)["status"] == "0x1"
    return address


def test_identity_is_chain_id_and_genesis(chain: Chain) -> None:
    identity = identity_of(chain)
    assert identity.chain_id == int(chain.request("net_version"))
    assert str(identity.genesis_hash) == chain.request("eth_getBlockByNumber", ["earliest", False])["hash"]


def test_transfer_moves_ether_and_has_a_receipt(chain: Chain, wallet: Wallet) -> None:
    to = "0x00000000000000000000000000000000000000b1"
    receipt = wallet.receipt(wallet.send(to=to, value=7))
    assert (receipt["status"], receipt["gasUsed"], receipt["type"]) == ("0x1", "0x5208", "0x2")
    assert chain.request("eth_getBalance", [to, "latest"]) == "0x7"
    height = int(receipt["blockNumber"], 16)
    assert chain.request("eth_getBalance", [to, hex(height - 1)]) == "0x0", "old state stays readable"
    block = chain.request("eth_getBlockByNumber", [receipt["blockNumber"], True])
    paid = int(receipt["effectiveGasPrice"], 16)
    assert paid == min(10**10, int(block["baseFeePerGas"], 16) + 10**9)
    sent = chain.request("eth_getTransactionByHash", [receipt["transactionHash"]])
    assert sent == block["transactions"][int(receipt["transactionIndex"], 16)]
    assert (sent["from"], sent["to"], sent["value"]) == (wallet.account.address.lower(), to, "0x7")


@pytest.mark.parametrize("fields", [{"gasPrice": 10**10}, {"type": 1, "gasPrice": 10**10, "accessList": []}])
def test_older_transaction_types_are_carried_out(chain: Chain, wallet: Wallet, fields: dict[str, Any]) -> None:
    if fields.get("type") == 1:
        raw = wallet.account.sign_transaction(
            {"nonce": wallet.nonce, "chainId": wallet.chain_id, "gas": 30_000, "to": bytes(20), "value": 0} | fields
        ).raw_transaction
        transaction_hash = chain.request("eth_sendRawTransaction", ["0x" + bytes(raw).hex()])
    else:
        transaction_hash = wallet.send(**fields)
    receipt = wallet.receipt(transaction_hash)
    assert receipt["status"] == "0x1"
    shown = connect(chain).eth.get_transaction(transaction_hash)
    assert shown["type"] == fields.get("type", 0)
    assert shown["chainId"] == wallet.chain_id


def test_header_hashes_to_the_block_hash(chain: Chain, logger: str) -> None:
    block = chain.request("eth_getBlockByNumber", ["latest", False])
    quantities = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed"}
    names = ["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"]
    names += ["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"]
    names += ["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"]
    names += ["requestsHash"]
    fields = [
        int(block[name], 16) if name in quantities | {"excessBlobGas"} else bytes.fromhex(block[name][2:])
        for name in names
    ]
    assert "0x" + keccak(rlp.encode(fields)).hex() == block["hash"]


def test_receipts_give_the_receipts_root(chain: Chain, logger: str) -> None:
    latest = chain.request("eth_getBlockByNumber", ["latest", False])
    receipts = chain.request("eth_getBlockReceipts", [latest["number"]])
    assert receipts == chain.request("eth_getBlockReceipts", [latest["hash"]])
    assert [receipt["transactionHash"] for receipt in receipts] == latest["transactions"]
    trie: Any = HexaryTrie({})
    for index, receipt in enumerate(receipts):
        logs = [
            [
                bytes.fromhex(log["address"][2:]),
                [bytes.fromhex(t[2:]) for t in log["topics"]],
                bytes.fromhex(log["data"][2:]),
            ]
            for log in receipt["logs"]
        ]
        body = rlp.encode(
            [
                int(receipt["status"], 16),
                int(receipt["cumulativeGasUsed"], 16),
                bytes.fromhex(receipt["logsBloom"][2:]),
                logs,
            ]
        )
        trie[rlp.encode(index)] = bytes([int(receipt["type"], 16)]) + body
    assert "0x" + trie.root_hash.hex() == latest["receiptsRoot"]


def test_log_filters_find_exactly_what_they_name(chain: Chain, logger: str) -> None:
    word = argument
    sender = "0x" + "00" * 12 + Wallet(chain).account.address[2:].lower()

    def values(**wanted: Any) -> list[int]:
        logs = chain.request("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "latest"} | wanted])
        assert [(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in logs] == sorted(
            (int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in logs
        )
        return [int(log["topics"][0], 16) for log in logs]

    assert values(address=logger) == [1, 2, 3, 1]
    assert values(address=[logger, UNUSED_ADDRESS]) == [1, 2, 3, 1]
    assert values(address=UNUSED_ADDRESS) == []
    assert values(address=logger, topics=[word(1)]) == [1, 1]
    assert values(address=logger, topics=[[word(1), word(3)]]) == [1, 3, 1]
    assert values(address=logger, topics=[None, sender]) == [1, 2, 3, 1]
    assert values(address=logger, topics=[word(2), sender]) == [2]
    assert values(address=logger, topics=[word(2), word(2)]) == []
    one = chain.request("eth_getLogs", [{"address": logger, "topics": [word(3)], "fromBlock": "earliest"}])[0]
    by_hash = chain.request("eth_getLogs", [{"blockHash": one["blockHash"], "topics": [word(3)]}])
    assert by_hash == [one]
    receipt = chain.request("eth_getTransactionReceipt", [one["transactionHash"]])
    assert receipt["logs"] == [one], "a log is the same wherever it is read"


def test_web3_reads_the_same_logs(chain: Chain, logger: str) -> None:
    w3 = connect(chain)
    logs = w3.eth.get_logs({"fromBlock": 0, "toBlock": "latest", "address": w3.to_checksum_address(logger)})
    assert [int.from_bytes(log["data"], "big") for log in logs] == [1, 2, 3, 1]
    block = w3.eth.get_block(logs[-1]["blockNumber"], full_transactions=True)
    assert block["hash"] == logs[-1]["blockHash"]


def test_proofs_lead_from_the_state_root_to_account_and_slots(chain: Chain, logger: str) -> None:
    block = chain.request("eth_getBlockByNumber", ["latest", False])
    slots = [0, 1, 2**255]
    proven = chain.request("eth_getProof", [logger, [f"0x{slot:064x}" for slot in slots], block["number"]])

    def nodes(proof: list[str]) -> list[Any]:
        return [rlp.decode(bytes.fromhex(node[2:])) for node in proof]

    trie: Any = HexaryTrie
    account = trie.get_from_proof(
        bytes.fromhex(block["stateRoot"][2:]), keccak(hexstr=logger), nodes(proven["accountProof"])
    )
    assert rlp.decode(account) == [
        bytes.fromhex(proven["nonce"][2:].rjust(2, "0")),
        b"",
        bytes.fromhex(proven["storageHash"][2:]),
        keccak(STORES_TIME_AND_LOGS),
    ]
    for slot, shown in zip(slots, proven["storageProof"], strict=True):
        value = trie.get_from_proof(
            bytes.fromhex(proven["storageHash"][2:]), keccak(slot.to_bytes(32, "big")), nodes(shown["proof"])
        )
        found = int.from_bytes(rlp.decode(value), "big") if value else 0
        assert found == int(shown["value"], 16)
        assert found == int(chain.request("eth_getStorageAt", [logger, hex(slot), block["number"]]), 16)
    assert int(proven["storageProof"][1]["value"], 16) == 1


def test_proof_of_absence_for_an_unknown_account(chain: Chain) -> None:
    block = chain.request("eth_getBlockByNumber", ["latest", False])
    unknown = "0x00000000000000000000000000000000000000ee"
    proven = chain.request("eth_getProof", [unknown, [], block["number"]])
    nodes = [rlp.decode(bytes.fromhex(node[2:])) for node in proven["accountProof"]]
    root = bytes.fromhex(block["stateRoot"][2:])
    lookup: Any = HexaryTrie
    assert lookup.get_from_proof(root, keccak(hexstr=unknown), nodes) == b""
    assert (proven["balance"], proven["nonce"]) == ("0x0", "0x0")


def test_revert_is_error_3_with_its_bytes(chain: Chain, wallet: Wallet) -> None:
    address = deploy(wallet, REVERTS)
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(RpcError) as caught:
            chain.request(method, [{"to": address, "data": "0x"}, "latest"])
        assert (caught.value.code, caught.value.data) == (3, "0xdeadbeef")
    receipt = wallet.receipt(wallet.send(to=address, gas=100_000))
    assert receipt["status"] == "0x0", "a transaction that fails is in a block all the same"


def test_estimate_is_enough_and_not_much_more(chain: Chain, wallet: Wallet) -> None:
    address = deploy(wallet, STORES_AND_LOGS)
    call = {"from": wallet.account.address, "to": address, "data": argument(9)}
    estimate = int(chain.request("eth_estimateGas", [call]), 16)
    receipt = wallet.receipt(wallet.send(to=address, data=argument(9), gas=estimate))
    assert receipt["status"] == "0x1"
    assert int(receipt["gasUsed"], 16) <= estimate <= 1.1 * int(receipt["gasUsed"], 16)


def test_call_changes_nothing_and_sees_old_state(chain: Chain, wallet: Wallet, logger: str) -> None:
    before = chain.request("eth_getBlockByNumber", ["latest", False])
    root = before["stateRoot"]
    chain.request("eth_call", [{"to": logger, "data": argument(77)}, "latest"])
    assert chain.request("eth_getBlockByNumber", ["latest", False])["stateRoot"] == root
    wallet.receipt(wallet.send(to=logger, data=argument(78), gas=200_000))
    slot = chain.request("eth_getStorageAt", [logger, "0x1", before["number"]])
    assert slot != chain.request("eth_getStorageAt", [logger, "0x1", "latest"])


def test_call_is_as_of_now_though_no_block_is_made(chain: Chain, wallet: Wallet) -> None:
    address = deploy(wallet, RETURNS_TIME)
    before = int(time.time())
    seen = int(chain.request("eth_call", [{"to": address}, "latest"]), 16)
    after = int(time.time())
    head = int(chain.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
    assert max(head, before - 1) <= seen <= max(head, after) + 1


def test_deep_recursion_of_calls_does_not_break_the_chain(chain: Chain, wallet: Wallet) -> None:
    address = deploy(wallet, CALLS_ITSELF)
    receipt = wallet.receipt(wallet.send(to=address, gas=16_000_000))
    assert receipt["status"] == "0x1"


def test_nonces_ahead_wait_until_the_gap_is_filled(chain: Chain, wallet: Wallet) -> None:
    first = wallet.nonce
    later = wallet.send(nonce=first + 1)
    assert chain.request("eth_getTransactionReceipt", [later]) is None
    waiting = chain.request("eth_getTransactionByHash", [later])
    assert waiting["blockHash"] is None
    sooner = wallet.send(nonce=first)
    assert wallet.receipt(sooner)["status"] == wallet.receipt(later)["status"] == "0x1"
    assert int(chain.request("eth_getTransactionCount", [wallet.account.address, "latest"]), 16) == first + 2


def test_transaction_sent_again_is_known_already_while_it_waits(chain: Chain, wallet: Wallet) -> None:
    raw = wallet.sign(nonce=wallet.nonce + 1)
    chain.request("eth_sendRawTransaction", [raw])
    with pytest.raises(RpcError, match="already"):
        chain.request("eth_sendRawTransaction", [raw])
    wallet.receipt(wallet.send())
    wallet.nonce += 1


def test_replacement_must_pay_more(chain: Chain, wallet: Wallet) -> None:
    nonce = wallet.nonce + 1
    wallet.send(nonce=nonce, value=1)
    with pytest.raises(RpcError, match="underpriced"):
        wallet.send(nonce=nonce, value=2)
    better = wallet.send(nonce=nonce, value=3, maxFeePerGas=12 * 10**9, maxPriorityFeePerGas=12 * 10**8)
    wallet.receipt(wallet.send())
    assert wallet.receipt(better)["status"] == "0x1"
    wallet.nonce += 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"nonce": 0}, "nonce too low"),
        ({"value": 10**30}, "[Ii]nsufficient funds"),
        ({"chainId": 1}, "chain id"),
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"maxPriorityFeePerGas": 2 * 10**10}, "max priority fee per gas higher than max fee per gas"),
    ],
)
def test_invalid_transaction_is_refused(chain: Chain, wallet: Wallet, fields: dict[str, Any], reason: str) -> None:
    wallet.receipt(wallet.send())
    with pytest.raises(RpcError, match=reason):
        wallet.send(**fields)


@pytest.mark.parametrize("raw", ["0x", "0x02", "0xc0", "0x02c0", "0x" + "ff" * 40, "0x05c0"])
def test_garbage_is_no_transaction(chain: Chain, raw: str) -> None:
    with pytest.raises(RpcError):
        chain.request("eth_sendRawTransaction", [raw])


def test_batch_keeps_order_and_errors_in_place(chain: Chain) -> None:
    calls: list[tuple[str, list[object]]] = [("eth_chainId", []), ("eth_nonsense", []), ("eth_blockNumber", [])] * 70
    answers = chain.batch(calls)
    assert len(answers) == 210
    for start in range(0, 210, 3):
        assert answers[start] == chain.request("eth_chainId")
        assert isinstance(answers[start + 1], RpcError)
        assert answers[start + 1].code == -32601
        assert str(answers[start + 2]).startswith("0x")


def test_unknown_things_are_null(chain: Chain) -> None:
    unknown = "0x" + "ab" * 32
    for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
        assert chain.request(method, [unknown]) is None
    assert chain.request("eth_getBlockByHash", [unknown, False]) is None
    assert chain.request("eth_getBlockByNumber", ["0xffffff", False]) is None


def test_fee_history_reaches_to_the_next_block(chain: Chain, wallet: Wallet) -> None:
    receipt = wallet.receipt(wallet.send(maxPriorityFeePerGas=5 * 10**8))
    history = chain.request("eth_feeHistory", ["0x2", receipt["blockNumber"], [50]])
    newest = chain.request("eth_getBlockByNumber", [receipt["blockNumber"], False])
    assert int(history["oldestBlock"], 16) == int(receipt["blockNumber"], 16) - 1
    assert len(history["baseFeePerGas"]) == 3
    assert history["baseFeePerGas"][1] == newest["baseFeePerGas"]
    assert history["reward"][1] == [hex(5 * 10**8)]


def test_web3_sends_and_waits(chain: Chain, wallet: Wallet) -> None:
    w3 = connect(chain)
    transaction_hash = w3.eth.send_raw_transaction(wallet.sign(value=1))  # type: ignore[arg-type]
    receipt = w3.eth.wait_for_transaction_receipt(transaction_hash)
    assert receipt["status"] == 1
    assert w3.eth.gas_price > 0
    assert w3.eth.max_priority_fee >= 0
    assert w3.eth.get_block_transaction_count(receipt["blockNumber"]) >= 1
