"""Blocks, transactions, receipts and logs of the embedded chain in JSON-RPC form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import rlp
from eth._utils.address import generate_contract_address
from eth.abc import SignedTransactionAPI
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_typing import Address as EthAddress

from registry.base.primitives import Address, keccak256
from registry.devchain.state import AccountProof
from registry.devchain.store import DevBlock

Json = dict[str, Any]


def data(value: bytes) -> str:
    """Return bytes as 0x-prefixed hex."""
    return f"0x{value.hex()}"


def word(value: int) -> str:
    """Return a number as 0x-prefixed hex of 32 bytes."""
    return f"0x{value:064x}"


def block(stored: DevBlock, *, full: bool) -> Json:
    """Return a block with its transactions in full, or only their hashes."""
    header: Any = stored.header  # py-evm declares no types for the fields that came after London.
    transactions: list[Any] = [
        transaction(stored, index) if full else data(keccak256(raw)) for index, raw in enumerate(stored.transactions)
    ]
    return {
        "number": hex(header.block_number),
        "hash": data(stored.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": f"0x{header.bloom:0512x}",
        "transactionsRoot": data(header.transaction_root),
        "stateRoot": data(header.state_root),
        "receiptsRoot": data(header.receipt_root),
        "miner": data(header.coinbase),
        "difficulty": hex(header.difficulty),
        "extraData": data(header.extra_data),
        "size": hex(stored.size),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "mixHash": data(header.mix_hash),
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "withdrawalsRoot": data(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.parent_beacon_block_root),
        "requestsHash": data(header.requests_hash),
        "transactions": transactions,
        "uncles": [],
        "withdrawals": [],
    }


def transaction(stored: DevBlock, index: int) -> Json:
    """Return a transaction of a block."""
    raw = stored.transactions[index]
    decoded = PragueTransactionBuilder.decode(raw)
    return _transaction(decoded, raw, stored.senders[index]) | {
        "blockHash": data(stored.hash),
        "blockNumber": hex(stored.number),
        "transactionIndex": hex(index),
        "gasPrice": hex(_price_paid(decoded, stored.base_fee)),
    }


def pending_transaction(decoded: SignedTransactionAPI, raw: bytes) -> Json:
    """Return a pending transaction."""
    return _transaction(decoded, raw, decoded.sender) | {
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
        "gasPrice": hex(decoded.max_fee_per_gas),
    }


def receipts(stored: DevBlock) -> list[Json]:
    """Return the receipts of all transactions of a block, in order."""
    return [receipt(stored, index) for index in range(len(stored.receipts))]


def receipt(stored: DevBlock, index: int) -> Json:
    """Return the receipt of one transaction of a block."""
    raw, sender = stored.transactions[index], stored.senders[index]
    decoded = PragueTransactionBuilder.decode(raw)
    status, cumulative, bloom, logs = _receipt_fields(stored.receipts[index])
    used_before, logs_before = _running_totals(stored.receipts)[index]
    used = int.from_bytes(cumulative, "big")
    return {
        "type": hex(decoded.type_id or 0),
        "status": hex(int.from_bytes(status, "big")),
        "cumulativeGasUsed": hex(used),
        "gasUsed": hex(used - used_before),
        "effectiveGasPrice": hex(_price_paid(decoded, stored.base_fee)),
        "logs": [_log(stored, index, raw, logs_before + position, log) for position, log in enumerate(logs)],
        "logsBloom": data(bloom),
        "transactionHash": data(keccak256(raw)),
        "transactionIndex": hex(index),
        "blockHash": data(stored.hash),
        "blockNumber": hex(stored.number),
        "from": data(sender),
        "to": data(decoded.to) if decoded.to else None,
        "contractAddress": None if decoded.to else data(generate_contract_address(EthAddress(sender), decoded.nonce)),
    }


@lru_cache(64)
def _running_totals(receipts: tuple[bytes, ...]) -> tuple[tuple[int, int], ...]:
    """Return, for each receipt of a block, the gas and the number of logs before it."""
    totals = [(0, 0)]
    for encoded in receipts:
        _, cumulative, _, logs = _receipt_fields(encoded)
        totals.append((int.from_bytes(cumulative, "big"), totals[-1][1] + len(logs)))
    return tuple(totals)


def logs(stored: DevBlock, matches: Callable[[bytes, Sequence[bytes]], bool]) -> list[Json]:
    """Return the matching logs of a block.

    Args:
        stored: The block.
        matches: Returns whether a log with an address (20 bytes) and topics (32 bytes each) matches.
    """
    result: list[Json] = []
    log_index = 0
    for index, (raw, encoded) in enumerate(zip(stored.transactions, stored.receipts, strict=True)):
        for log in _receipt_fields(encoded)[3]:
            if matches(log[0], log[1]):
                result.append(_log(stored, index, raw, log_index, log))
            log_index += 1
    return result


def proof(address: object, keys: Sequence[object], proven: AccountProof) -> Json:
    """Return a proof of an account and its slots; address and keys are repeated as given (EIP-1186)."""
    return {
        "address": address,
        "balance": hex(proven.account.balance),
        "nonce": hex(proven.account.nonce),
        "codeHash": data(proven.account.code_hash),
        "storageHash": data(proven.account.storage_root),
        "accountProof": [data(node) for node in proven.proof],
        "storageProof": [
            {"key": key, "value": hex(slot.value), "proof": [data(node) for node in slot.proof]}
            for key, slot in zip(keys, proven.storage, strict=True)
        ],
    }


def _receipt_fields(encoded: bytes) -> Any:
    # A typed receipt is a byte for the type and then the list; a list begins with 0xc0 or more.
    return rlp.decode(encoded if encoded[0] >= 0xC0 else encoded[1:])


def _log(stored: DevBlock, index: int, raw: bytes, log_index: int, log: Any) -> Json:
    address, topics, body = log
    return {
        "address": data(address),
        "topics": [data(topic) for topic in topics],
        "data": data(body),
        "blockHash": data(stored.hash),
        "blockNumber": hex(stored.number),
        "blockTimestamp": hex(stored.header.timestamp),
        "transactionHash": data(keccak256(raw)),
        "transactionIndex": hex(index),
        "logIndex": hex(log_index),
        "removed": False,
    }


def _transaction(decoded: SignedTransactionAPI, raw: bytes, sender: bytes) -> Json:
    kind = decoded.type_id or 0
    chain_id = decoded.chain_id or 0
    form: Json = {
        "type": hex(kind),
        "hash": data(keccak256(raw)),
        "chainId": hex(chain_id),
        "nonce": hex(decoded.nonce),
        "from": data(sender),
        "to": data(decoded.to) if decoded.to else None,
        "value": hex(decoded.value),
        "gas": hex(decoded.gas),
        "input": data(decoded.data),
        "r": hex(decoded.r),
        "s": hex(decoded.s),
        "v": hex(decoded.y_parity if kind else decoded.y_parity + 35 + 2 * chain_id),
    }
    if kind:
        form["yParity"] = form["v"]
        form["accessList"] = [
            {"address": str(Address(account)), "storageKeys": [word(slot) for slot in slots]}
            for account, slots in decoded.access_list
        ]
    if kind == 2:
        form["maxFeePerGas"] = hex(decoded.max_fee_per_gas)
        form["maxPriorityFeePerGas"] = hex(decoded.max_priority_fee_per_gas)
    return form


def _price_paid(decoded: SignedTransactionAPI, base_fee: int) -> int:
    return min(decoded.max_fee_per_gas, base_fee + decoded.max_priority_fee_per_gas)
