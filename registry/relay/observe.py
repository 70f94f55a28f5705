"""Read the chain for the relayer, through a node that may lag, reorganise, or be load-balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from registry.base.primitives import Address, Bytes32
from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, RpcError, decoding
from registry.chain.finality import FinalityRule
from registry.chain.history import BlockRef, read_block
from registry.relay.fees import Prices
from registry.relay.model import Attempt, Inclusion, NonceSlot
from registry.rooms.deployment import Deployment

FEW: Final = 8
"""Up to this number of receipts are read one by one."""
DEEPEST_REORGANISATION: Final = 256
MOST_BLOCKS_CHECKED: Final = 1024


@dataclass(frozen=True, slots=True)
class ChainView:
    """The chain as the node sees it at one moment.

    Args:
        head: The newest block.
        prices: The prices of gas.
        used: The number of the relayer's transactions that are in blocks.
        balance: The relayer's balance, wei.
        final: The height of the newest final block; -1 if there is none.
        is_syncing: Whether the node says that it is behind.
    """

    head: BlockRef
    prices: Prices
    used: int
    balance: int
    final: int
    is_syncing: bool


@dataclass(frozen=True, slots=True)
class CheckedBlocks:
    """The result of comparing recorded blocks with the chain.

    Args:
        gone: The blocks that are no longer on the chain.
        final: The blocks that look final.
    """

    gone: tuple[Bytes32, ...]
    final: tuple[Bytes32, ...]


def look(chain: Chain, account: Address, finality: FinalityRule) -> ChainView:
    """Return the chain as the node sees it now.

    Args:
        chain: The chain.
        account: The relaying account.
        finality: When a block is final.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    calls: list[tuple[str, Sequence[object]]] = [
        ("eth_getBlockByNumber", ["latest", False]),
        ("eth_getTransactionCount", [str(account), "latest"]),
        ("eth_getBalance", [str(account), "latest"]),
        ("eth_syncing", []),
        ("eth_maxPriorityFeePerGas", []),
        ("eth_gasPrice", []),
    ]
    depth = finality.depth(chain)
    if depth is None:
        calls.append(("eth_getBlockByNumber", [FINALIZED, False]))
    answers: list[Any] = chain.batch(calls)
    latest, used, balance, syncing, priority, price, *finalized = answers
    for answer in (latest, used, balance):
        if isinstance(answer, RpcError):
            raise answer
    head = read_block(latest)
    with decoding("The node returned malformed answers."):
        return ChainView(
            head=head,
            prices=Prices.read(latest, priority, price),
            used=int(used, 16),
            balance=int(balance, 16),
            final=_newest_tagged(finalized[0], head) if depth is None else head.number - depth,
            is_syncing=bool(syncing) and not isinstance(syncing, RpcError),
        )


def check_blocks(chain: Chain, recorded: Sequence[tuple[int, Bytes32]], view: ChainView) -> CheckedBlocks:
    """Compare recorded blocks with those of the chain.

    Args:
        chain: The chain.
        recorded: Heights and hashes in ascending order.
        view: The chain as the node sees it.

    Raises:
        ChainUnavailable: No usable answer came.
    """
    known = [
        (number, block_hash)
        for number, block_hash in recorded
        if number <= view.final or view.head.number - DEEPEST_REORGANISATION <= number <= view.head.number
    ][-MOST_BLOCKS_CHECKED:]
    if not known:
        return CheckedBlocks((), ())
    answers = chain.batch([("eth_getBlockByNumber", [hex(number), False]) for number, _ in known])
    gone: list[Bytes32] = []
    final: list[Bytes32] = []
    for (number, block_hash), answer in zip(known, answers, strict=True):
        if answer is None or isinstance(answer, RpcError):
            continue  # This node does not know the block, which does not mean that the block is gone.
        if read_block(answer).hash != block_hash:
            gone.append(block_hash)
        elif number <= view.final:
            final.append(block_hash)
    return CheckedBlocks(tuple(gone), tuple(final))


def find_inclusions(
    chain: Chain, deployment: Deployment, slots: Sequence[NonceSlot], view: ChainView
) -> list[Inclusion]:
    """Return the transactions that are in blocks, in ascending order of their nonces.

    Reading every receipt is slow when blocks are full. Therefore, when a block holds one of our transactions, its logs
    are used to find the others: every action logs something. Reverted transactions log nothing; their receipts are
    read.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    missing = {attempt.hash: (slot, attempt) for slot in slots if slot.nonce < view.used for attempt in slot.attempts}
    inclusions: list[Inclusion] = []
    while len(missing) > FEW:
        first, (slot, attempt) = next(iter(missing.items()))
        inclusion = _inclusion(slot, attempt, chain.request("eth_getTransactionReceipt", [str(first)]))
        if inclusion is None:
            break
        del missing[first]
        inclusions.append(inclusion)
        beside = _transactions_that_logged(chain, deployment, inclusion.block_hash) & missing.keys()
        if not beside:
            break
        for logged in beside:
            slot, attempt = missing.pop(logged)
            inclusions.append(replace(inclusion, slot=slot, attempt=attempt, succeeded=True))
    answers: list[Any] = chain.batch(
        [("eth_getTransactionReceipt", [str(transaction_hash)]) for transaction_hash in missing]
    )
    for (slot, attempt), answer in zip(missing.values(), answers, strict=True):
        inclusion = _inclusion(slot, attempt, answer)
        if inclusion is not None:
            inclusions.append(inclusion)
    return sorted(inclusions, key=lambda inclusion: inclusion.slot.nonce)


def is_used_for_good(chain: Chain, account: Address, nonce: int, view: ChainView) -> bool:
    """Return whether a nonce of an account is used as of the newest final block.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    if view.final < 0:
        return False
    used = chain.request("eth_getTransactionCount", [str(account), hex(view.final)])
    return isinstance(used, str) and int(used, 16) > nonce


def _transactions_that_logged(chain: Chain, deployment: Deployment, block_hash: Bytes32) -> set[Bytes32]:
    """Return the transactions in a block that made one of our contracts log something."""
    contracts = [str(address) for address in deployment.addresses.values()]
    try:
        logs = chain.request("eth_getLogs", [{"blockHash": str(block_hash), "address": contracts}])
    except RpcError:
        return set()  # Not every node returns logs by block hash, or immediately.
    with decoding("The node returned malformed logs."):
        return {Bytes32.parse(log["transactionHash"]) for log in logs if Bytes32.parse(log["blockHash"]) == block_hash}


def _newest_tagged(answer: Any, head: BlockRef) -> int:
    if isinstance(answer, RpcError) or answer is None:
        return -1  # Nothing is final yet, or this node does not know the tag.
    return min(read_block(answer).number, head.number)


def _inclusion(slot: NonceSlot, attempt: Attempt, answer: Any) -> Inclusion | None:
    if answer is None or isinstance(answer, RpcError):
        return None
    with decoding("The node returned a malformed receipt."):
        if answer["blockHash"] is None or Bytes32.parse(answer["transactionHash"]) != attempt.hash:
            return None
        return Inclusion(
            slot,
            attempt,
            block_number=int(answer["blockNumber"], 16),
            block_hash=Bytes32.parse(answer["blockHash"]),
            succeeded=int(answer["status"], 16) == 1,
            gas_used=int(answer["gasUsed"], 16),
        )
