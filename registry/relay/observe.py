"""What a relayer reads from the chain, through a node that may lag, reorganise, or be load-balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, ChainUnavailable, RpcError
from registry.chain.finality import FinalityRule
from registry.chain.history import BlockRef, read_block
from registry.relay.fees import Prices
from registry.relay.model import Attempt, Inclusion, NonceSlot
from registry.rooms.deployment import Deployment

FEW: Final = 8
"""Up to so many receipts are read one by one."""
DEEPEST_REORGANISATION: Final = 256
MOST_BLOCKS_CHECKED: Final = 1024


@dataclass(frozen=True, slots=True)
class ChainView:
    """What the node says at one moment.

    Args:
        head: The newest block.
        prices: What a unit of gas costs.
        used: The number of the relayer's transactions that are in blocks.
        balance: What the relayer has, wei.
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
    """Recorded blocks, compared with the chain.

    Args:
        gone: Those that are no longer on the chain.
        final: Those that look final.
    """

    gone: tuple[Bytes32, ...]
    final: tuple[Bytes32, ...]


def look(chain: Chain, account: Address, finality: FinalityRule) -> ChainView:
    """Return what the node says now.

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
    try:
        return ChainView(
            head=head,
            prices=Prices.read(latest, priority, price),
            used=int(used, 16),
            balance=int(balance, 16),
            final=_newest_tagged(finalized[0], head) if depth is None else head.number - depth,
            is_syncing=bool(syncing) and not isinstance(syncing, RpcError),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise ChainUnavailable("The node's answers cannot be read.") from error


def check_blocks(chain: Chain, recorded: Sequence[tuple[int, Bytes32]], view: ChainView) -> CheckedBlocks:
    """Compare recorded blocks with those of the chain.

    Args:
        chain: The chain.
        recorded: Heights and hashes in ascending order.
        view: What the node said.

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
            continue  # This node does not know the block, which proves nothing.
        if read_block(answer).hash != block_hash:
            gone.append(block_hash)
        elif number <= view.final:
            final.append(block_hash)
    return CheckedBlocks(tuple(gone), tuple(final))


def find_inclusions(
    chain: Chain, deployment: Deployment, slots: Sequence[NonceSlot], view: ChainView
) -> list[Inclusion]:
    """Return the transactions that are in blocks, in ascending order of their nonces.

    Reading each receipt is slow where blocks are full. So the logs of a block that holds one of our transactions are
    used to find the others: every action logs something. What reverted logs nothing, and its receipt is read.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    missing = {attempt.hash: (slot, attempt) for slot in slots if slot.nonce < view.used for attempt in slot.attempts}
    found: list[Inclusion] = []
    while len(missing) > FEW:
        first, (slot, attempt) = next(iter(missing.items()))
        inclusion = _inclusion(slot, attempt, chain.request("eth_getTransactionReceipt", [str(first)]))
        if inclusion is None:
            break
        del missing[first]
        found.append(inclusion)
        beside = _transactions_that_logged(chain, deployment, inclusion.block_hash) & missing.keys()
        if not beside:
            break
        for logged in beside:
            slot, attempt = missing.pop(logged)
            found.append(replace(inclusion, slot=slot, attempt=attempt, succeeded=True))
    answers: list[Any] = chain.batch([("eth_getTransactionReceipt", [str(one)]) for one in missing])
    for (slot, attempt), answer in zip(missing.values(), answers, strict=True):
        inclusion = _inclusion(slot, attempt, answer)
        if inclusion is not None:
            found.append(inclusion)
    return sorted(found, key=lambda inclusion: inclusion.slot.nonce)


def is_used_for_good(chain: Chain, account: Address, nonce: int, view: ChainView) -> bool:
    """Return whether a nonce of an account is used in the newest final block.

    Raises:
        ChainUnavailable: No usable answer came.
        RpcError: The node refused.
    """
    if view.final < 0:
        return False
    used = chain.request("eth_getTransactionCount", [str(account), hex(view.final)])
    return isinstance(used, str) and int(used, 16) > nonce


def _transactions_that_logged(chain: Chain, deployment: Deployment, block_hash: Bytes32) -> set[Bytes32]:
    """Return the transactions in a block that made a contract of ours log something."""
    contracts = [str(address) for address in deployment.addresses.values()]
    try:
        logs = chain.request("eth_getLogs", [{"blockHash": str(block_hash), "address": contracts}])
    except RpcError:
        return set()  # Not every node knows a block's logs by its hash, or at once.
    try:
        return {Bytes32.parse(log["transactionHash"]) for log in logs if Bytes32.parse(log["blockHash"]) == block_hash}
    except (TypeError, KeyError, InvalidInput) as error:
        raise ChainUnavailable("The node gave logs that cannot be read.") from error


def _newest_tagged(answer: Any, head: BlockRef) -> int:
    if isinstance(answer, RpcError) or answer is None:
        return -1  # Nothing is final yet, or this node does not know the tag.
    return min(read_block(answer).number, head.number)


def _inclusion(slot: NonceSlot, attempt: Attempt, answer: Any) -> Inclusion | None:
    if answer is None or isinstance(answer, RpcError):
        return None
    try:
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
    except (TypeError, KeyError, ValueError, InvalidInput) as error:
        raise ChainUnavailable("The node gave a receipt that cannot be read.") from error
