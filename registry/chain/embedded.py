"""A chain of one's own inside the process: py-evm's Prague rules, on disk, spoken to in JSON-RPC.

One process makes the blocks and nobody else does: what it says is the truth for as long as nobody can write to its
files. Auditors who do not trust it hold its checkpoints (signed block hashes) against it.

A block is made when transactions wait, at most one a second, and never with a time that has not come: grants expire by
the blocks' time. A block is on disk before anybody sees it, there are no forks, and so each block is final at once.
Transactions that wait are in memory only; who sent one sends it again until it is in a block.
"""

from __future__ import annotations

import inspect
import itertools
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.constants import SECPK1_N
from eth_typing import Hash32

from registry.chain import evm, params, state, wire
from registry.chain.client import (
    INVALID_PARAMS,
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    SERVER_ERROR,
    ChainIdentity,
    ChainUnavailable,
    RpcError,
)
from registry.chain.logs import FILTER_FIELDS, MAX_LOGS, LogFilter, may_contain
from registry.chain.miner import Miner
from registry.chain.pool import Pool
from registry.chain.store import Block, Genesis, Store
from registry.errors import Conflict
from registry.primitives import Address, Bytes32

BLOCKS_CHECKED_AT_OPENING = 64
RETRY_SECONDS = 2.0
MAX_TRANSACTION_BYTES = 131_072
MAX_INITCODE_BYTES = 49_152  # EIP-3860
MAX_PROVEN_SLOTS = 1_024
MAX_FEE_HISTORY = 1_024
PRIORITY_FEE = 10**9
ANCESTORS_VISIBLE = 256
CLIENT_VERSION = "tdr-embedded/1"

_CALL_FIELDS = frozenset(
    [
        "from",
        "to",
        "gas",
        "gasPrice",
        "maxFeePerGas",
        "maxPriorityFeePerGas",
        "value",
        "data",
        "input",
        "nonce",
        "chainId",
        "type",
        "accessList",
    ]
)

log = logging.getLogger(__name__)


class EmbeddedChain:
    """The chain. Made by `open` or `in_memory`; close it in the end."""

    def __init__(
        self, store: Store, relayer: Address, *, clock: Callable[[], float], mine_interval: float, mining: bool = True
    ) -> None:
        self._store = store
        self._clock = clock
        self._interval = mine_interval
        self._lock = threading.RLock()
        self._pool = Pool()
        self._fault = ""
        self._last_start = -mine_interval
        genesis = store.genesis() or self._create(relayer)
        if genesis.relayer != relayer:
            raise Conflict(
                f"This chain was made for the relayer {Address(genesis.relayer)}, but the key given is {relayer}'s.",
                hint="Give the key that belongs to this data folder, or choose another folder.",
            )
        store.check(BLOCKS_CHECKED_AT_OPENING)
        self._head = store.block_by_hash(store.head_hash())
        self.identity = ChainIdentity(genesis.chain_id, Bytes32(store.hash_at(0)))
        self._methods: dict[str, Callable[..., Any]] = {
            name: getattr(self, name) for name in dir(self) if name.startswith(("eth_", "net_", "web3_", "evm_"))
        }
        self._miner = Miner(self._step, self._miner_stopped) if mining else None

    @classmethod
    def open(
        cls, folder: Path, relayer: Address, *, mine_interval: float = 1.0, clock: Callable[[], float] = time.time
    ) -> Self:
        """Opens the chain in a folder at its head, or creates one with a chain id of its own.

        Args:
            folder: Where it lies; one process at a time uses it.
            relayer: The account that is given all ether when the chain is created; the same ever after.
            mine_interval: Seconds at least between two blocks. Less than one makes no more than one a second.
            clock: Gives the Unix time in seconds, UTC.

        Raises:
            Conflict: Another process uses the folder, or it holds something else, or a chain of another relayer.
            ChainUnavailable: The files cannot be read or are damaged.
        """
        store = Store.open(folder)
        try:
            return cls(store, relayer, clock=clock, mine_interval=mine_interval)
        except sqlite3.Error as error:
            store.close()
            raise ChainUnavailable(f"The embedded chain in {folder} cannot be used: {error}.") from error
        except (Conflict, ChainUnavailable):
            store.close()
            raise

    @staticmethod
    def in_memory(relayer: Address, *, auto_mine: bool = True, clock: Callable[[], float] = time.time) -> InMemoryChain:
        """A chain for tests that is gone when it is closed, and whose time and history may be changed.

        Args:
            relayer: The account that is given all ether.
            auto_mine: Makes a block of each transaction as it is sent, even if its time has not come.
            clock: Gives the Unix time in seconds, UTC.
        """
        return InMemoryChain(Store.in_memory(), relayer, clock=clock, mine_interval=0.0, mining=not auto_mine)

    def _create(self, relayer: Address) -> Genesis:
        # 0x7464 are the letters "td"; the rest keeps chains made by different nodes apart.
        genesis = Genesis(0x74640000 | secrets.randbits(16), bytes(relayer))
        draft = evm.make_genesis(genesis.chain_id, genesis.relayer, int(self._clock()))
        self._store.create(genesis, draft.block, draft.nodes)
        return genesis

    # The interface of a chain

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        """Answers a JSON-RPC request; see `registry.chain.client.Chain`."""
        handler = self._methods.get(method)
        if handler is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {method[:80]} does not exist or is not available")
        try:
            inspect.signature(handler).bind(*params)
        except TypeError as error:
            raise RpcError(INVALID_PARAMS, f"invalid parameters of {method}: {error}") from error
        try:
            return handler(*params)
        except sqlite3.Error as error:
            raise ChainUnavailable(f"The embedded chain cannot use its file: {error}.") from error

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        """Answers several JSON-RPC requests in order; see `registry.chain.client.Chain`."""
        answers: list[Any | RpcError] = []
        for method, parameters in calls:
            try:
                answers.append(self.request(method, parameters))
            except RpcError as error:
                answers.append(error)
        return answers

    def close(self) -> None:
        """Finishes the block in the making, if there is one, and closes the files. What waits is forgotten."""
        if self._miner is not None:
            self._miner.close()
        self._store.close()

    # Making blocks

    def _step(self) -> float | None:
        if not self._executable():
            return None
        now = self._now()
        wait = max(self._head.header.timestamp + 1 - now, self._last_start + self._interval - time.monotonic())
        if wait > 0:
            if wait > 5 + self._interval:
                log.warning(
                    "the clock is %.0f s behind the newest block: no block is made until it has caught up", wait
                )
            return min(wait, 60.0)
        self._last_start = time.monotonic()
        try:
            self._mine(int(now))
        except sqlite3.Error as error:
            self._fault = f"The embedded chain cannot write its blocks: {error}."
            log.error("%s Trying again in %.0f s.", self._fault, RETRY_SECONDS)
            return RETRY_SECONDS
        self._fault = ""
        return 0.0

    def _miner_stopped(self) -> None:
        self._fault = "The embedded chain has stopped making blocks."

    def _mine(self, timestamp: int) -> None:
        parent = self._head
        draft = evm.build_block(
            parent.header,
            timestamp,
            self._executable(),
            chain_id=self.identity.chain_id,
            read=self._store.node,
            ancestors=lambda: self._hashes_back_from(parent.hash),
        )
        for transaction_hash, reason in draft.refused.items():
            log.warning("transaction 0x%s is dropped: %s", transaction_hash.hex(), reason)
        with self._lock:
            self._pool.drop(draft.refused)
        if draft.block.transactions or not draft.refused:
            self._append(draft)

    def _append(self, draft: evm.Draft) -> None:
        try:
            self._store.append(draft.block, draft.nodes)
        except sqlite3.Error:
            # A commit that failed may have been carried out all the same: only the file knows.
            if self._store.head_hash() != draft.block.hash:
                raise
        with self._lock:
            self._head = draft.block
            self._pool.settle(draft.block.senders, self._nonce_of)

    def _executable(self) -> list[SignedTransactionAPI]:
        base_fee = evm.next_base_fee(self._head.header)
        with self._lock:
            return self._pool.executable(self._nonce_of, base_fee)

    def _nonce_of(self, sender: bytes) -> int:
        return state.account_at(self._store.node, self._head.header.state_root, sender).nonce

    def _now(self) -> float:
        return self._clock()

    def _hashes_back_from(self, block_hash: bytes) -> Iterator[Hash32]:
        for _ in range(ANCESTORS_VISIBLE):
            yield Hash32(block_hash)
            block = self._store.block_by_hash(block_hash)
            if block.number == 0:
                return
            block_hash = block.header.parent_hash

    # Which block is meant

    def _find(self, given: object) -> Block | None:
        """The block that a JSON-RPC block parameter names (a tag, a number, or EIP-1898's object); None if unknown."""
        if given in ("latest", "pending", "safe", "finalized"):
            return self._head
        if given == "earliest":
            return self._at(0)
        if isinstance(given, Mapping):
            named = params.fields(given, "block", frozenset({"blockHash", "blockNumber", "requireCanonical"}))
            if "blockHash" in named:
                return self._with_hash(params.data(named["blockHash"], "blockHash", 32))
            return self._at(params.quantity(named.get("blockNumber"), "blockNumber"))
        return self._at(params.quantity(given, "block"))

    def _state(self, given: object) -> Block:
        block = self._find(given)
        if block is None:
            raise RpcError(SERVER_ERROR, "header not found")
        return block

    def _at(self, number: int) -> Block | None:
        if number > self._head.number:
            return None
        return self._with_hash(self._store.hash_at(number))

    def _with_hash(self, block_hash: bytes) -> Block | None:
        try:
            block = self._store.block_by_hash(block_hash)
        except KeyError:
            return None
        return block if block.number <= self._head.number else None

    def _place_of(self, transaction_hash: bytes) -> tuple[Block, int] | None:
        try:
            number, position = self._store.place_of(transaction_hash)
        except KeyError:
            return None
        block = self._at(number)
        return None if block is None else (block, position)

    # JSON-RPC: the node

    def web3_clientVersion(self) -> str:
        return CLIENT_VERSION

    def net_version(self) -> str:
        return str(self.identity.chain_id)

    def eth_chainId(self) -> str:
        return hex(self.identity.chain_id)

    def eth_syncing(self) -> bool:
        return False

    def eth_blockNumber(self) -> str:
        return hex(self._head.number)

    # JSON-RPC: fees

    def eth_gasPrice(self) -> str:
        return hex(evm.next_base_fee(self._head.header) + PRIORITY_FEE)

    def eth_maxPriorityFeePerGas(self) -> str:
        return hex(PRIORITY_FEE)

    def eth_feeHistory(self, count: object, newest: object, percentiles: object = None) -> wire.Json:
        wanted = [] if percentiles is None else percentiles
        if not isinstance(wanted, list | tuple) or not all(
            isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item <= 100 for item in wanted
        ):
            raise RpcError(INVALID_PARAMS, "invalid argument: the percentiles must be numbers from 0 to 100")
        last = self._state(newest)
        span = params.quantity(count if not isinstance(count, int) else hex(count), "count")
        span = min(span, MAX_FEE_HISTORY, last.number + 1)
        blocks = [self._existing(number) for number in range(last.number + 1 - span, last.number + 1)]
        history: wire.Json = {
            "oldestBlock": hex(last.number + 1 - span),
            "baseFeePerGas": [
                hex(fee) for fee in (*(block.base_fee for block in blocks), evm.next_base_fee(last.header))
            ],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
        }
        if wanted:
            history["reward"] = [_tips_paid(block, sorted(wanted)) for block in blocks]
        return history

    # JSON-RPC: blocks and transactions

    def eth_getBlockByNumber(self, number: object, full: object = False) -> wire.Json | None:
        return self._block_form(self._find(number), full)

    def eth_getBlockByHash(self, block_hash: object, full: object = False) -> wire.Json | None:
        return self._block_form(self._with_hash(params.data(block_hash, "block hash", 32)), full)

    def _block_form(self, block: Block | None, full: object) -> wire.Json | None:
        in_full = params.flag(full, "full")
        return None if block is None else wire.block(block, full=in_full)

    def eth_getBlockTransactionCountByNumber(self, number: object) -> str | None:
        block = self._find(number)
        return None if block is None else hex(len(block.transactions))

    def eth_getBlockTransactionCountByHash(self, block_hash: object) -> str | None:
        block = self._with_hash(params.data(block_hash, "block hash", 32))
        return None if block is None else hex(len(block.transactions))

    def eth_getTransactionByBlockNumberAndIndex(self, number: object, index: object) -> wire.Json | None:
        return _transaction_at(self._find(number), params.quantity(index, "index"))

    def eth_getTransactionByBlockHashAndIndex(self, block_hash: object, index: object) -> wire.Json | None:
        block = self._with_hash(params.data(block_hash, "block hash", 32))
        return _transaction_at(block, params.quantity(index, "index"))

    def eth_getTransactionByHash(self, transaction_hash: object) -> wire.Json | None:
        wanted = params.data(transaction_hash, "transaction hash", 32)
        with self._lock:
            pending = self._pool.get(wanted)
        if pending is not None:
            return wire.pending_transaction(pending.transaction, pending.raw)
        place = self._place_of(wanted)
        return None if place is None else wire.transaction(*place)

    def eth_getTransactionReceipt(self, transaction_hash: object) -> wire.Json | None:
        place = self._place_of(params.data(transaction_hash, "transaction hash", 32))
        return None if place is None else wire.receipts(place[0])[place[1]]

    def eth_getBlockReceipts(self, block: object) -> list[wire.Json] | None:
        # Nodes take a block hash here as well as a number: a hash has 64 digits.
        by_hash = isinstance(block, str) and len(block) == 66
        found = self._with_hash(params.data(block, "block", 32)) if by_hash else self._find(block)
        return None if found is None else wire.receipts(found)

    def eth_getLogs(self, wanted: object) -> list[wire.Json]:
        given = params.fields(wanted, "filter", FILTER_FIELDS)
        log_filter = LogFilter.parse(given.get("address"), given.get("topics"))
        if "blockHash" in given:
            if "fromBlock" in given or "toBlock" in given:
                raise RpcError(INVALID_PARAMS, "invalid argument: blockHash goes without fromBlock and toBlock")
            block = self._with_hash(params.data(given["blockHash"], "blockHash", 32))
            if block is None:
                raise RpcError(SERVER_ERROR, "unknown block")
            return wire.logs(block, log_filter.wants)
        return self._logs_between(
            self._height(given.get("fromBlock", "latest")), self._height(given.get("toBlock", "latest")), log_filter
        )

    def _logs_between(self, first: int, last: int, log_filter: LogFilter) -> list[wire.Json]:
        if first > last:
            raise RpcError(INVALID_PARAMS, "invalid block range params")
        masks = log_filter.masks()
        found: list[wire.Json] = []
        for block_hash, bloom in self._store.blooms(first, min(last, self._head.number)):
            if bloom and may_contain(bloom, masks):
                found += wire.logs(self._store.block_by_hash(block_hash), log_filter.wants)
                if len(found) > MAX_LOGS:
                    raise RpcError(
                        LIMIT_EXCEEDED, f"query returned more than {MAX_LOGS} results: ask for fewer blocks at a time"
                    )
        return found

    def _height(self, given: object) -> int:
        if isinstance(given, str) and given.startswith("0x"):
            return params.quantity(given, "block")
        return self._state(given).number

    def _existing(self, number: int) -> Block:
        return self._store.block_by_hash(self._store.hash_at(number))

    # JSON-RPC: the state

    def eth_getBalance(self, address: object, block: object = "latest") -> str:
        return hex(self._account(address, block).balance)

    def eth_getTransactionCount(self, address: object, block: object = "latest") -> str:
        sender = params.data(address, "address", 20)
        with self._lock:
            nonce = self._account(address, block).nonce
            return hex(self._pool.next_nonce(sender, nonce) if block == "pending" else nonce)

    def _account(self, address: object, block: object) -> Any:
        root = self._state(block).header.state_root
        return state.account_at(self._store.node, root, params.data(address, "address", 20))

    def eth_getCode(self, address: object, block: object = "latest") -> str:
        root = self._state(block).header.state_root
        return wire.data(state.code_at(self._store.node, root, params.data(address, "address", 20)))

    def eth_getStorageAt(self, address: object, slot: object, block: object = "latest") -> str:
        root = self._state(block).header.state_root
        account = params.data(address, "address", 20)
        return wire.word(state.storage_at(self._store.node, root, account, params.quantity(slot, "slot")))

    def eth_getProof(self, address: object, keys: object, block: object = "latest") -> wire.Json:
        if not isinstance(keys, list | tuple) or len(keys) > MAX_PROVEN_SLOTS:
            raise RpcError(INVALID_PARAMS, f"invalid argument: keys must be a list of at most {MAX_PROVEN_SLOTS}")
        proven = state.prove(
            self._store.node,
            self._state(block).header.state_root,
            params.data(address, "address", 20),
            [params.quantity(key, "storage key") for key in keys],
        )
        return {
            "address": address,
            "balance": hex(proven.account.balance),
            "nonce": hex(proven.account.nonce),
            "codeHash": wire.data(proven.account.code_hash),
            "storageHash": wire.data(proven.account.storage_root),
            "accountProof": [wire.data(node) for node in proven.proof],
            "storageProof": [
                {"key": key, "value": hex(slot.value), "proof": [wire.data(node) for node in slot.proof]}
                for key, slot in zip(keys, proven.storage, strict=True)
            ],
        }

    def eth_call(self, call: object, block: object = "latest") -> str:
        header = self._seen_now(block)
        return wire.data(
            evm.call(
                header,
                _call(call),
                chain_id=self.identity.chain_id,
                read=self._store.node,
                ancestors=self._hashes_back_from(header.parent_hash) if header.block_number else (),
            )
        )

    def eth_estimateGas(self, call: object, block: object = "latest") -> str:
        header = self._seen_now(block)
        return hex(
            evm.estimate_gas(
                header,
                _call(call),
                chain_id=self.identity.chain_id,
                read=self._store.node,
                ancestors=self._hashes_back_from(header.parent_hash) if header.block_number else (),
            )
        )

    def _seen_now(self, block: object) -> BlockHeaderAPI:
        header = self._state(block).header
        if block not in ("latest", "pending"):
            return header
        # Blocks come only when there is something to write: a question about now is answered as of now.
        return header.copy(timestamp=max(header.timestamp, int(self._now())))

    def eth_sendRawTransaction(self, raw: object) -> str:
        """Takes a transaction in. It waits in memory: it is safe only once it is in a block."""
        encoded = params.data(raw, "transaction")
        if self._fault:
            raise ChainUnavailable(self._fault, hint="What is in blocks can be read.", retry_after=RETRY_SECONDS)
        if len(encoded) > MAX_TRANSACTION_BYTES:
            raise RpcError(
                SERVER_ERROR, f"oversized data: transaction size {len(encoded)}, limit {MAX_TRANSACTION_BYTES}"
            )
        transaction = evm.decode_transaction(encoded)
        self._refuse_invalid(transaction)
        with self._lock:
            self._refuse_unaffordable(transaction)
            self._pool.add(transaction, encoded)
        self._transaction_came()
        return wire.data(transaction.hash)

    def _transaction_came(self) -> None:
        if self._miner is not None:
            self._miner.wake()

    def _refuse_invalid(self, transaction: SignedTransactionAPI) -> None:
        """Refuses, in geth's words, what no state of this chain would let in."""
        if transaction.chain_id is None:
            raise RpcError(SERVER_ERROR, "only replay-protected (EIP-155) transactions allowed over RPC")
        if transaction.chain_id != self.identity.chain_id:
            raise RpcError(
                SERVER_ERROR,
                f"invalid sender: invalid chain id for signer: have {transaction.chain_id} want {self.identity.chain_id}",
            )
        if transaction.s > SECPK1_N // 2:
            raise RpcError(SERVER_ERROR, "invalid sender: invalid transaction v, r, s values")
        if transaction.gas > evm.TRANSACTION_GAS_LIMIT:
            raise RpcError(
                SERVER_ERROR,
                f"transaction gas limit too high (cap: {evm.TRANSACTION_GAS_LIMIT}, tx: {transaction.gas})",
            )
        if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
            raise RpcError(SERVER_ERROR, "max priority fee per gas higher than max fee per gas")
        if not transaction.to and len(transaction.data) > MAX_INITCODE_BYTES:
            raise RpcError(
                SERVER_ERROR,
                f"max initcode size exceeded: code size {len(transaction.data)}, limit {MAX_INITCODE_BYTES}",
            )
        needed = max(transaction.intrinsic_gas, evm.floor_gas(transaction.data))
        if transaction.gas < needed:
            raise RpcError(SERVER_ERROR, f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}")

    def _refuse_unaffordable(self, transaction: SignedTransactionAPI) -> None:
        """Refuses, in geth's words, what the sender's account as it is would not let in."""
        account = self._account(wire.data(transaction.sender), "latest")
        if transaction.nonce < account.nonce:
            raise RpcError(SERVER_ERROR, f"nonce too low: next nonce {account.nonce}, tx nonce {transaction.nonce}")
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        if account.balance < cost:
            raise RpcError(
                SERVER_ERROR,
                f"insufficient funds for gas * price + value: balance {account.balance}, tx cost {cost}, "
                f"overshot {cost - account.balance}",
            )


class InMemoryChain(EmbeddedChain):
    """A chain for tests. Warning: its time and its history can be changed through JSON-RPC (the `evm_` methods)."""

    _offset = 0
    _next_timestamp: int | None = None

    def __init__(
        self, store: Store, relayer: Address, *, clock: Callable[[], float], mine_interval: float, mining: bool
    ) -> None:
        self._snapshots: dict[str, Block] = {}
        self._snapshot_numbers = itertools.count(1)
        super().__init__(store, relayer, clock=clock, mine_interval=mine_interval, mining=mining)

    def _now(self) -> float:
        return self._clock() + self._offset

    def _transaction_came(self) -> None:
        if self._miner is None:
            with self._lock:
                while self._executable():
                    self._mine(self._timestamp())
        super()._transaction_came()

    def _timestamp(self) -> int:
        chosen, self._next_timestamp = self._next_timestamp, None
        return max(self._head.header.timestamp + 1, int(self._now()) if chosen is None else chosen)

    def evm_increaseTime(self, seconds: object) -> str:
        """Moves the chain's clock ahead."""
        self._offset += _number(seconds)
        return hex(self._offset)

    def evm_setNextBlockTimestamp(self, timestamp: object) -> None:
        """Sets the time of the next block, and with it the chain's clock."""
        chosen = _number(timestamp)
        if chosen <= self._head.header.timestamp:
            raise RpcError(INVALID_PARAMS, f"timestamp {chosen} is not after the head's {self._head.header.timestamp}")
        self._next_timestamp = chosen
        self._offset = chosen - int(self._clock())

    def evm_mine(self, timestamp: object = None) -> str:
        """Makes a block, of nothing if nothing waits."""
        if timestamp is not None:
            self.evm_setNextBlockTimestamp(timestamp)
        with self._lock:
            self._mine(self._timestamp())
        return "0x0"

    def evm_snapshot(self) -> str:
        """Marks the present state for `evm_revert`."""
        name = hex(next(self._snapshot_numbers))
        self._snapshots[name] = self._head
        return name

    def evm_revert(self, snapshot: object) -> bool:
        """Goes back to a snapshot and forgets it, all blocks after it and what waits. The clock stays."""
        block = self._snapshots.pop(str(snapshot), None)
        if block is None:
            return False
        with self._lock:
            self._store.forget_after(block.number)
            self._head = block
            self._pool = Pool()
        return True


def _number(value: object) -> int:
    return value if isinstance(value, int) else params.quantity(value, "number")


def _transaction_at(block: Block | None, index: int) -> wire.Json | None:
    return None if block is None or index >= len(block.transactions) else wire.transaction(block, index)


def _call(given: object) -> evm.Call:
    fields = params.fields(given, "call", _CALL_FIELDS)
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


def _tips_paid(block: Block, percentiles: Sequence[float]) -> list[str]:
    """The priority fees in a block at percentiles of the gas used, each transaction weighed by its own."""
    paid = sorted(
        (int(receipt["effectiveGasPrice"], 16) - block.base_fee, int(receipt["gasUsed"], 16))
        for receipt in wire.receipts(block)
    )
    tips: list[str] = []
    for percentile in percentiles:
        threshold, reached, tip = block.header.gas_used * percentile / 100, 0, 0
        for tip, used in paid:
            reached += used
            if reached >= threshold:
                break
        tips.append(hex(tip))
    return tips
