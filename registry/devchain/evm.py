"""The embedded chain's rules: py-evm's Prague, applied to blocks. Clock, storage and transactions are arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# py-evm hashes everything through eth-hash, whose default backend is five times slower than this one.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")


from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI
from eth.constants import POST_MERGE_DIFFICULTY, POST_MERGE_NONCE
from eth.db.backends.base import BaseAtomicDB
from eth.db.trie import make_trie_root_and_nodes
from eth.exceptions import PyEVMError, Revert, VMError
from eth.vm.chain_context import ChainContext
from eth.vm.forks.byzantium.constants import (
    EIP658_TRANSACTION_STATUS_CODE_FAILURE,
    EIP658_TRANSACTION_STATUS_CODE_SUCCESS,
)
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, Hash32
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from registry.chain.client import EXECUTION_REVERTED, SERVER_ERROR, RpcError
from registry.devchain.budget import Budget
from registry.devchain.limited import LimitedVM
from registry.devchain.state import ReadNode
from registry.devchain.store import DevBlock

BLOCK_GAS_LIMIT = 30_000_000
TRANSACTION_GAS_LIMIT = 2**24  # EIP-7825: the limit of public networks must apply here too.
GENESIS_BALANCE = 10**27  # One billion ether: enough for some 10^13 transactions.
ESTIMATE_TOLERANCE = 0.015
CALL_STIPEND = 2_300

# Errors of py-evm itself while it runs a transaction. Storage errors (OSError, sqlite3.Error) are not included,
# because the transaction does not cause them.
_EVM_FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Draft:
    """A block that has been built but not stored.

    Args:
        block: The block.
        nodes: The trie nodes that its state adds to its parent's, by hash.
        refused: The transactions that can never be executed as they are, by hash, with the reason.
    """

    block: DevBlock
    nodes: dict[bytes, bytes]
    refused: dict[bytes, str]


@dataclass(frozen=True, slots=True)
class Call:
    """The call of `eth_call` and `eth_estimateGas`: an unsigned transaction, free of charge by default.

    Args:
        sender: 20 bytes.
        to: 20 bytes, or empty to create a contract.
        data: The calldata, or the new contract's initialisation code.
        value: Wei.
        gas: The gas limit.
        maximum_fee: The maximum price per unit of gas, wei; 0: free. GASPRICE returns the price that is paid.
        priority_fee: The part of the price that the block's maker receives, wei.
    """

    sender: bytes
    to: bytes
    data: bytes
    value: int
    gas: int
    maximum_fee: int = 0
    priority_fee: int = 0


def make_genesis(chain_id: int, relayer: bytes, timestamp: int) -> Draft:
    """Return the first block, in which `relayer` (20 bytes) has all ether. Equal arguments give an equal block."""
    overlay = _Overlay(_nothing)
    before = PragueVM.create_genesis_header(difficulty=0, timestamp=timestamp, gas_limit=BLOCK_GAS_LIMIT)
    state = PragueVM.build_state(overlay, before, ChainContext(chain_id))
    state.set_balance(Address(relayer), GENESIS_BALANCE)
    state.persist()
    header = PragueVM.create_genesis_header(
        difficulty=POST_MERGE_DIFFICULTY,
        nonce=POST_MERGE_NONCE,
        timestamp=timestamp,
        gas_limit=BLOCK_GAS_LIMIT,
        coinbase=relayer,
        extra_data=b"tdr" + chain_id.to_bytes(8, "big"),
        state_root=state.state_root,
    )
    return Draft(DevBlock(header, (), (), ()), overlay.written, {})


def next_header(parent: BlockHeaderAPI, timestamp: int) -> BlockHeaderAPI:
    """Return the header of an empty block after `parent`. Its fees go to the same account as the parent's."""
    header: BlockHeaderAPI = PragueVM.create_header_from_parent(
        parent, timestamp=timestamp, gas_limit=parent.gas_limit, coinbase=parent.coinbase
    )
    return header


def next_base_fee(parent: BlockHeaderAPI) -> int:
    """Return the base fee of the block after `parent`, in wei per unit of gas."""
    return next_header(parent, parent.timestamp + 1).base_fee_per_gas or 0


def build_block(
    parent: DevBlock,
    timestamp: int,
    transactions: Sequence[SignedTransactionAPI],
    *,
    chain_id: int,
    read: ReadNode,
    ancestors: Callable[[], Iterable[Hash32]],
) -> Draft:
    """Execute transactions in order and build a block of them.

    A transaction that fails in the EVM is included, with a receipt of status 0. An invalid transaction is left out and
    reported as refused. Later transactions of its sender, and those that no longer fit, are left for later.

    Args:
        parent: The preceding block.
        timestamp: Unix seconds, UTC; later than the parent's.
        transactions: The transactions, in order.
        chain_id: The chain's id.
        read: Reads the trie nodes of the parent's state.
        ancestors: Returns the hashes of the parent and the blocks before it, newest first.
    """
    refused: dict[bytes, str] = {}
    while True:
        attempt = _Attempt(parent.header, timestamp, chain_id, read, ancestors())
        try:
            for transaction in transactions:
                if transaction.hash in refused:
                    attempt.hold(transaction.sender)
                else:
                    attempt.add(transaction)
        except _EVM_FAULTS as error:
            # The state is unusable. Restart without the transaction that broke it, rather than stop the chain.
            refused[transaction.hash] = f"the EVM itself failed on it: {type(error).__name__}: {error}"
            continue
        return attempt.finish(refused)


class _Attempt:
    def __init__(
        self, parent: BlockHeaderAPI, timestamp: int, chain_id: int, read: ReadNode, ancestors: Iterable[Hash32]
    ) -> None:
        self._parent = parent
        self._header = next_header(parent, timestamp)
        self._overlay = _Overlay(read)
        self._state = PragueVM.build_state(self._overlay, self._header, ChainContext(chain_id), ancestors)
        self._included: list[SignedTransactionAPI] = []
        self._receipts: list[Any] = []
        self._gas_used = 0
        self._bloom = 0
        self._waiting: set[bytes] = set()
        self._refused: dict[bytes, str] = {}

    def hold(self, sender: bytes) -> None:
        """Leave all later transactions of this sender for later: their nonces now follow a gap."""
        self._waiting.add(sender)

    def add(self, transaction: SignedTransactionAPI) -> None:
        if transaction.sender in self._waiting:
            return
        if self._gas_used + transaction.gas > self._header.gas_limit:
            self.hold(transaction.sender)
            return
        self._state.lock_changes()
        try:
            computation = self._state.apply_transaction(transaction)
        except ValidationError as error:
            self._refused[transaction.hash] = str(error)
            self.hold(transaction.sender)
            return
        self._gas_used += PragueVM.finalize_gas_used(transaction, computation)
        status = (
            EIP658_TRANSACTION_STATUS_CODE_FAILURE if computation.is_error else EIP658_TRANSACTION_STATUS_CODE_SUCCESS
        )
        receipt = transaction.make_receipt(status, self._gas_used, computation.get_log_entries())
        self._bloom |= receipt.bloom
        self._included.append(transaction)
        self._receipts.append(receipt)

    def finish(self, refused: dict[bytes, str]) -> Draft:
        self._state.lock_changes()
        self._state.persist()
        header = self._header.copy(
            state_root=self._state.state_root,
            transaction_root=make_trie_root_and_nodes(self._included)[0],
            receipt_root=make_trie_root_and_nodes(self._receipts)[0],
            bloom=self._bloom,
            gas_used=self._gas_used,
        )
        PragueVM.validate_header(header, self._parent)
        block = DevBlock(
            header=header,
            transactions=tuple(transaction.encode() for transaction in self._included),
            senders=tuple(transaction.sender for transaction in self._included),
            receipts=tuple(receipt.encode() for receipt in self._receipts),
        )
        return Draft(block, self._overlay.written, refused | self._refused)


def call(
    header: BlockHeaderAPI,
    message: Call,
    *,
    chain_id: int,
    read: ReadNode,
    ancestors: Iterable[Hash32],
    limits: Budget | None = None,
) -> bytes:
    """Execute a call on the state after a block, without changing it.

    Args:
        header: The block; the call sees its timestamp and number.
        message: The call.
        chain_id: The chain's id.
        read: Reads the trie nodes of the state.
        ancestors: The hashes of the blocks before `header`, newest first.
        limits: The budget; None: limited by the call's gas only.

    Returns:
        The return data.

    Raises:
        RpcError: The call reverted (code 3, with the revert bytes), or failed otherwise.
    """
    with _simulation(header, message, chain_id, read, ancestors, limits) as run:
        computation, _ = run(message.gas)
    _raise_failure(computation)
    return computation.output


def estimate_gas(
    header: BlockHeaderAPI,
    message: Call,
    *,
    chain_id: int,
    read: ReadNode,
    ancestors: Iterable[Hash32],
    limits: Budget | None = None,
) -> int:
    """Return a gas limit with which a call succeeds, at most 1.5 % above the minimum. The arguments are those of
    `call`.

    Raises:
        RpcError: The call fails with every gas limit up to `message.gas`.
    """
    with _simulation(header, message, chain_id, read, ancestors, limits) as run:
        computation, used = run(message.gas)
        _raise_failure(computation)
        too_little, enough = used - 1, message.gas
        # A nested call gets at most 63/64 of the remaining gas, so slightly more than the gas used is often enough.
        guess = (used + computation.get_gas_refund() + CALL_STIPEND) * 64 // 63
        while enough - too_little > max(1, ESTIMATE_TOLERANCE * enough):
            if not too_little < guess < enough:
                guess = (too_little + enough) // 2
            if run(guess)[0].is_error:
                too_little = guess
            else:
                enough = guess
            guess = (too_little + enough) // 2
    return enough


@contextmanager
def _simulation(
    header: BlockHeaderAPI,
    message: Call,
    chain_id: int,
    read: ReadNode,
    ancestors: Iterable[Hash32],
    limits: Budget | None,
) -> Iterator[Callable[[int], tuple[ComputationAPI, int]]]:
    """Yield a function that runs the message with a gas limit and returns the computation and the gas used."""
    if not message.maximum_fee:
        header = header.copy(base_fee_per_gas=0)
    vm = PragueVM if limits is None else LimitedVM
    state: Any = vm.build_state(_Overlay(read), header, ChainContext(chain_id), ancestors)
    state.limits = limits
    nonce = state.get_nonce(Address(message.sender))

    def run(gas: int) -> tuple[ComputationAPI, int]:
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=chain_id,
            nonce=nonce,
            max_priority_fee_per_gas=message.priority_fee,
            max_fee_per_gas=message.maximum_fee,
            gas=gas,
            to=Address(message.to),
            value=message.value,
            data=message.data,
            access_list=(),
        )
        needed = max(unsigned.intrinsic_gas, floor_gas(message.data))
        if gas < needed:
            raise RpcError(SERVER_ERROR, f"intrinsic gas too low: have {gas}, want {needed}")
        transaction: Any = SpoofTransaction(unsigned, from_=message.sender)
        snapshot = state.snapshot()
        try:
            computation = state.apply_transaction(transaction)
            return computation, PragueVM.finalize_gas_used(transaction, computation)
        except ValidationError as error:
            raise RpcError(SERVER_ERROR, f"insufficient funds or invalid call: {error}") from error
        except _EVM_FAULTS as error:
            raise RpcError(SERVER_ERROR, f"the EVM itself failed: {type(error).__name__}") from error
        finally:
            state.revert(snapshot)

    yield run


def floor_gas(data: bytes) -> int:
    """Return the minimum gas charged for a transaction with this data (EIP-7623)."""
    zeros = data.count(0)
    return 21_000 + 10 * (zeros + 4 * (len(data) - zeros))


def _raise_failure(computation: ComputationAPI) -> None:
    if not computation.is_error:
        return
    error: VMError = computation.error
    if isinstance(error, Revert):
        raise RpcError(EXECUTION_REVERTED, "execution reverted", f"0x{computation.output.hex()}")
    raise RpcError(SERVER_ERROR, f"execution failed: {type(error).__name__}: {error}")


def _nothing(node_hash: bytes) -> bytes:
    raise KeyError(node_hash)


class _Overlay(BaseAtomicDB):
    """A database for py-evm: reads go to the store, writes stay here until the block is stored."""

    def __init__(self, read: ReadNode) -> None:
        self._read = read
        self.written: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        try:
            return self.written[key]
        except KeyError:
            return self._read(key)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.written[key] = value

    def __delitem__(self, key: bytes) -> None:
        del self.written[key]

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    @contextmanager
    def atomic_batch(self) -> Iterator[Any]:
        # A failed attempt is discarded as a whole, so there is nothing to undo.
        yield self


def decode_transaction(raw: bytes) -> SignedTransactionAPI:
    """Decode a signed transaction.

    Args:
        raw: The bytes as sent.

    Raises:
        RpcError: The bytes are not a transaction, or its type is not supported.
    """
    if not raw or raw[0] in (3, 4):
        raise RpcError(SERVER_ERROR, "transaction type not supported")
    try:
        transaction = PragueTransactionBuilder.decode(raw)
        transaction.validate()
        _ = transaction.sender
    except (ValidationError, PyEVMError, RLPException, *_EVM_FAULTS) as error:
        raise RpcError(SERVER_ERROR, f"invalid transaction: {type(error).__name__}: {error}") from error
    return transaction
