"""The JSON-RPC methods of the embedded chain, under their own names."""

# ruff: noqa: N802 - the methods have the names that JSON-RPC gives them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from registry.chain import params
from registry.chain.client import INVALID_PARAMS, LIMIT_EXCEEDED, SERVER_ERROR, RpcError
from registry.chain.logs import FILTER_FIELDS, MAX_LOGS, LogFilter, may_contain
from registry.devchain import budget, evm, state, wire
from registry.devchain.chain import DevChain
from registry.devchain.store import DevBlock

MAX_PROVEN_SLOTS = 1_024
MAX_FEE_HISTORY = 1_024
MAX_PERCENTILES = 100
PRIORITY_FEE = 10**9
CLIENT_VERSION = "tdr-embedded/1"

_CALL_FIELDS = frozenset(
    {"from", "to", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data", "input"}
    | {"nonce", "chainId", "type", "accessList"}
)


class Methods:
    """Answers each JSON-RPC method. Parameters and results are in JSON form.

    Each method raises RpcError if a parameter is malformed or the request fails.

    Args:
        chain: The chain.
    """

    def __init__(self, chain: DevChain) -> None:
        self._chain = chain

    # The node

    def web3_clientVersion(self) -> str:
        return CLIENT_VERSION

    def net_version(self) -> str:
        return str(self._chain.identity.chain_id)

    def eth_chainId(self) -> str:
        return hex(self._chain.identity.chain_id)

    def eth_syncing(self) -> bool:
        return False

    def eth_blockNumber(self) -> str:
        return hex(self._chain.head.number)

    # Fees

    def eth_gasPrice(self) -> str:
        return hex(evm.next_base_fee(self._chain.head.header) + PRIORITY_FEE)

    def eth_maxPriorityFeePerGas(self) -> str:
        return hex(PRIORITY_FEE)

    def eth_feeHistory(self, count: object, newest: object, percentiles: object = None) -> wire.Json:
        levels = _percentiles(percentiles)
        last = self._existing(newest)
        span = params.quantity(hex(count) if isinstance(count, int) else count, "count")
        oldest = max(last.number + 1 - min(span, MAX_FEE_HISTORY), 0)
        blocks = [_within_budget(self._existing(hex(number))) for number in range(oldest, last.number + 1)]
        history: wire.Json = {
            "oldestBlock": hex(oldest),
            "baseFeePerGas": [hex(fee) for fee in (*(b.base_fee for b in blocks), evm.next_base_fee(last.header))],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
        }
        if levels:
            history["reward"] = [_tips_paid(_within_budget(block), levels) for block in blocks]
        return history

    # Blocks and transactions

    def eth_getBlockByNumber(self, number: object, full: object = False) -> wire.Json | None:
        return _form(self._named(number), full)

    def eth_getBlockByHash(self, block_hash: object, full: object = False) -> wire.Json | None:
        return _form(self._with_hash(block_hash), full)

    def eth_getBlockTransactionCountByNumber(self, number: object) -> str | None:
        block = self._named(number)
        return None if block is None else hex(len(block.transactions))

    def eth_getBlockTransactionCountByHash(self, block_hash: object) -> str | None:
        block = self._with_hash(block_hash)
        return None if block is None else hex(len(block.transactions))

    def eth_getTransactionByBlockNumberAndIndex(self, number: object, index: object) -> wire.Json | None:
        return _transaction_at(self._named(number), index)

    def eth_getTransactionByBlockHashAndIndex(self, block_hash: object, index: object) -> wire.Json | None:
        return _transaction_at(self._with_hash(block_hash), index)

    def eth_getTransactionByHash(self, transaction_hash: object) -> wire.Json | None:
        key = params.data(transaction_hash, "transaction hash", 32)
        pending = self._chain.waiting(key)
        if pending is not None:
            return wire.pending_transaction(pending.transaction, pending.raw)
        place = self._chain.place_of(key)
        return None if place is None else wire.transaction(*place)

    def eth_getTransactionReceipt(self, transaction_hash: object) -> wire.Json | None:
        place = self._chain.place_of(params.data(transaction_hash, "transaction hash", 32))
        return None if place is None else wire.receipt(*place)

    def eth_getBlockReceipts(self, block: object) -> list[wire.Json] | None:
        # Nodes accept a block's hash here as well as its number; a hash has 64 digits.
        by_hash = isinstance(block, str) and len(block) == 66
        stored = self._with_hash(block) if by_hash else self._named(block)
        return None if stored is None else wire.receipts(stored)

    def eth_getLogs(self, conditions: object) -> list[wire.Json]:
        fields = params.fields(conditions, "filter", FILTER_FIELDS)
        log_filter = LogFilter.parse(fields.get("address"), fields.get("topics"))
        if "blockHash" not in fields:
            first, last = (self._height(fields.get(name, "latest")) for name in ("fromBlock", "toBlock"))
            return self._logs_between(first, last, log_filter)
        if "fromBlock" in fields or "toBlock" in fields:
            raise RpcError(INVALID_PARAMS, "invalid argument: blockHash excludes fromBlock and toBlock")
        block = self._with_hash(fields["blockHash"])
        if block is None:
            raise RpcError(SERVER_ERROR, "unknown block")
        return wire.logs(block, log_filter.wants)

    def _logs_between(self, first: int, last: int, log_filter: LogFilter) -> list[wire.Json]:
        if first > last:
            raise RpcError(INVALID_PARAMS, "invalid block range params")
        masks = log_filter.masks()
        logs: list[wire.Json] = []
        limits = budget.current()
        for block_hash, bloom in self._chain.store.blooms(first, min(last, self._chain.head.number)):
            if limits is not None:
                limits.take_block()
            if bloom and may_contain(bloom, masks):
                if limits is not None:
                    limits.check()
                logs += wire.logs(self._chain.store.block_by_hash(block_hash), log_filter.wants)
                if len(logs) > MAX_LOGS:
                    raise RpcError(
                        LIMIT_EXCEEDED, f"query returned more than {MAX_LOGS} results: request fewer blocks at a time"
                    )

        return logs

    # The state

    def eth_getBalance(self, address: object, block: object = "latest") -> str:
        return hex(self._chain.account(params.data(address, "address", 20), self._existing(block)).balance)

    def eth_getTransactionCount(self, address: object, block: object = "latest") -> str:
        account = params.data(address, "address", 20)
        if block == "pending":
            return hex(self._chain.next_nonce(account))
        return hex(self._chain.account(account, self._existing(block)).nonce)

    def eth_getCode(self, address: object, block: object = "latest") -> str:
        root = self._existing(block).header.state_root
        return wire.data(state.code_at(self._chain.store.node, root, params.data(address, "address", 20)))

    def eth_getStorageAt(self, address: object, slot: object, block: object = "latest") -> str:
        root = self._existing(block).header.state_root
        account = params.data(address, "address", 20)
        return wire.word(state.storage_at(self._chain.store.node, root, account, params.quantity(slot, "slot")))

    def eth_getProof(self, address: object, keys: object, block: object = "latest") -> wire.Json:
        if not isinstance(keys, list | tuple) or len(keys) > MAX_PROVEN_SLOTS:
            raise RpcError(INVALID_PARAMS, f"invalid argument: keys must be a list of at most {MAX_PROVEN_SLOTS}")
        proven = state.prove(
            self._chain.store.node,
            self._existing(block).header.state_root,
            params.data(address, "address", 20),
            [params.quantity(key, "storage key") for key in keys],
        )
        return wire.proof(address, keys, proven)

    def eth_call(self, call: object, block: object = "latest") -> str:
        return wire.data(evm.call(message=_priced(call), **self._call_context(block)))

    def eth_estimateGas(self, call: object, block: object = "latest") -> str:
        return hex(evm.estimate_gas(message=_call(call), **self._call_context(block)))

    def eth_sendRawTransaction(self, raw: object) -> str:
        return wire.data(self._chain.add(params.data(raw, "transaction")))

    # Selecting a block

    def _named(self, selector: object) -> DevBlock | None:
        """Return the block for a tag, a number, or EIP-1898's object."""
        if selector in ("latest", "pending", "safe", "finalized"):
            return self._chain.head
        if selector == "earliest":
            return self._chain.block_at(0)
        if not isinstance(selector, Mapping):
            return self._chain.block_at(params.quantity(selector, "block"))
        named = params.fields(selector, "block", frozenset({"blockHash", "blockNumber", "requireCanonical"}))
        if "blockHash" in named:
            return self._with_hash(named["blockHash"])
        return self._chain.block_at(params.quantity(named.get("blockNumber"), "blockNumber"))

    def _with_hash(self, block_hash: object) -> DevBlock | None:
        return self._chain.block_with(params.data(block_hash, "block hash", 32))

    def _existing(self, selector: object) -> DevBlock:
        block = self._named(selector)
        if block is None:
            raise RpcError(SERVER_ERROR, "header not found")
        return block

    def _height(self, selector: object) -> int:
        # A range may reach beyond the newest block.
        if isinstance(selector, str) and selector.startswith("0x"):
            return params.quantity(selector, "block")
        return self._existing(selector).number

    def _call_context(self, selector: object) -> dict[str, Any]:
        """Return what a call on the state after a block sees besides the state."""
        block = self._existing(selector)
        header = block.header
        if selector in ("latest", "pending"):
            # Blocks are made only when transactions are pending, so a call on the newest state uses the present time.
            # It is never the newest block's own: to write that again would cost less gas than the transaction will.
            header = header.copy(timestamp=self._chain.next_timestamp())
        return {
            "header": header,
            "chain_id": self._chain.identity.chain_id,
            "read": self._chain.store.node,
            "ancestors": self._chain.hashes_before(block),
            "limits": budget.current(),
        }


def _within_budget(block: DevBlock) -> DevBlock:
    """Return the block, unless the request has used up its budget.

    Raises:
        OverBudget: The budget is used up.
    """
    limits = budget.current()
    if limits is not None:
        limits.check()
    return block


def _form(block: DevBlock | None, full: object) -> wire.Json | None:
    in_full = params.flag(full, "full")
    return None if block is None else wire.block(block, full=in_full)


def _transaction_at(block: DevBlock | None, index: object) -> wire.Json | None:
    position = params.quantity(index, "index")
    return None if block is None or position >= len(block.transactions) else wire.transaction(block, position)


def _call(parameter: object) -> evm.Call:
    fields = params.fields(parameter, "call", _CALL_FIELDS)
    inputs = {params.data(fields[name], name) for name in ("data", "input") if name in fields}
    if len(inputs) > 1:
        raise RpcError(INVALID_PARAMS, "invalid argument: data and input are both given and differ")
    gas = params.quantity(fields["gas"], "gas") if "gas" in fields else evm.TRANSACTION_GAS_LIMIT
    return evm.Call(
        sender=params.data(fields["from"], "from", 20) if "from" in fields else bytes(20),
        to=params.data(fields["to"], "to", 20) if "to" in fields else b"",
        data=inputs.pop() if inputs else b"",
        value=params.quantity(fields["value"], "value") if "value" in fields else 0,
        gas=min(gas, evm.TRANSACTION_GAS_LIMIT),
    )


def _priced(parameter: object) -> evm.Call:
    """Parse a call with the price that it pays: its sender needs the balance, and its code sees the price."""
    call = _call(parameter)
    fields = params.fields(parameter, "call", _CALL_FIELDS)
    fees = {
        name: params.quantity(fields[name], name)
        for name in ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")
        if name in fields
    }
    maximum = fees.get("gasPrice", fees.get("maxFeePerGas", 0))
    priority = fees.get("gasPrice", fees.get("maxPriorityFeePerGas", 0))
    return replace(call, maximum_fee=maximum, priority_fee=min(priority, maximum))


def _percentiles(parameter: object) -> list[float]:
    levels = [] if parameter is None else parameter
    if isinstance(levels, list | tuple) and len(levels) > MAX_PERCENTILES:
        raise RpcError(INVALID_PARAMS, f"invalid argument: at most {MAX_PERCENTILES} percentiles, not {len(levels)}")
    if not isinstance(levels, list | tuple) or not all(
        isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item <= 100 for item in levels
    ):
        raise RpcError(INVALID_PARAMS, "invalid argument: the percentiles must be numbers from 0 to 100")
    return sorted(levels)


def _tips_paid(block: DevBlock, percentiles: Sequence[float]) -> list[str]:
    """Return the priority fees in a block at percentiles of the gas used, each transaction weighted by its gas."""
    paid = sorted(
        (int(receipt["effectiveGasPrice"], 16) - block.base_fee, int(receipt["gasUsed"], 16))
        for receipt in wire.receipts(block)
    )
    tips: list[str] = []
    for percentile in percentiles:
        remaining = block.header.gas_used * percentile / 100
        tip = 0
        for tip_paid, used in paid:
            tip = tip_paid
            remaining -= used
            if remaining <= 0:
                break
        tips.append(hex(tip))
    return tips
