"""Signing pending messages, and sending what is signed. A transaction is stored before it is first sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from registry.chain.calls import TRANSACTION_GAS
from registry.chain.client import RpcError
from registry.relay import ledger
from registry.relay.context import RelayContext
from registry.relay.effects import find_effect
from registry.relay.fees import Fees
from registry.relay.lease import Lease
from registry.relay.memory import RelayMemory, Sending
from registry.relay.model import NonceSlot, PendingMessage
from registry.relay.observe import ChainView
from registry.relay.receipts import Failure, Status
from registry.relay.rejections import Rejection, classify
from registry.relay.replace import Replacement
from registry.relay.signing import Payload, payload_of

log = logging.getLogger(__name__)

SENDS_A_POST: Final = 100
SIGNED_AT_ONCE: Final = 500
"""A small batch, so that new messages do not wait long for the database. The next step follows at once."""


def sign_pending(context: RelayContext, lease: Lease, view: ChainView, memory: RelayMemory, in_flight: int) -> int:
    """Sign the transactions of pending messages, as many as window and balance allow; fail the expired ones.

    Returns:
        The number of transactions signed.

    Raises:
        LeaseLost: Another relayer has taken over the key.
        Unavailable: The chain or the database cannot be used now.
        RpcError: The node refused.
    """
    space = min(context.settings.window - in_flight, SIGNED_AT_ONCE)
    if space <= 0:
        return 0
    with context.storage.read() as connection:
        items = ledger.waiting(connection, space)
    memory.unsigned = 0
    if not items:
        return 0
    items = _without_expired(context, lease, items, view)
    fees = view.prices.offer(context.settings.maximum_fee)
    cost = sum(item.payload.gas for item in items) * fees.maximum
    if cost > view.balance:
        memory.unsigned = cost
        items = _affordable(items, fees, view.balance)
    if not items or view.is_syncing:
        return 0
    with lease.write() as connection:
        first = max(ledger.next_nonce(connection, context.address), view.used)
        signed = [
            (nonce, item, context.sign(nonce, item.payload, fees)) for nonce, item in enumerate(items, start=first)
        ]
        ledger.record_signed(connection, context.address, signed, fees, context.clock())
    return len(items)


def sign_replacement(context: RelayContext, lease: Lease, memory: RelayMemory, replacement: Replacement) -> None:
    """Sign and store a transaction that replaces another.

    Raises:
        LeaseLost: Another relayer has taken over the key.
        Unavailable: The database cannot be used.
    """
    slot, fees = replacement.slot, replacement.fees
    with lease.write() as connection:
        if replacement.is_fill:
            payload = Payload(context.address, b"", TRANSACTION_GAS)
        else:
            payload = payload_of(ledger.raw_of(connection, [slot.latest.hash])[slot.latest.hash])
        ledger.record_replacement(
            connection,
            context.address,
            slot,
            context.sign(slot.nonce, payload, fees),
            fees,
            context.clock(),
            is_fill=replacement.is_fill,
        )
    memory.underpriced.discard(slot.nonce)
    log.info(
        "the transaction with nonce %d is replaced by one that offers %d wei per unit of gas", slot.nonce, fees.maximum
    )


def send(context: RelayContext, lease: Lease, view: ChainView, memory: RelayMemory, slots: Sequence[NonceSlot]) -> None:
    """Send the newest transaction of each nonce that was not sent recently, in ascending order.

    Raises:
        LeaseLost: Another relayer has taken over the key.
        Unavailable: The chain or the database cannot be used now.
    """
    now = context.clock()
    due = [slot for slot in slots if _is_due(slot, memory, context.settings.resend_seconds, now)]
    for start in range(0, len(due), SENDS_A_POST):
        _send_some(context, lease, view, memory, due[start : start + SENDS_A_POST])


def _without_expired(
    context: RelayContext, lease: Lease, items: list[PendingMessage], view: ChainView
) -> list[PendingMessage]:
    """Fail the messages whose deadline has passed on the chain: they were never sent and never will be."""
    expired = [item for item in items if item.deadline < view.head.timestamp and item.status is Status.ACCEPTED]
    for item in expired:
        with context.storage.read() as connection:
            message = ledger.message_of(connection, context.protocols, item.seq)
        effect = find_effect(context.chain, context.deployment, context.protocols, message, view.head)
        with lease.write() as connection:
            if effect is None:
                ledger.record_expired(connection, item.seq, _expired(item, view), context.clock())
            else:
                ledger.record_done(connection, item.seq, effect, context.clock())
    return [item for item in items if item not in expired] if expired else items


def _expired(item: PendingMessage, view: ChainView) -> Failure:
    return Failure(
        "DeadlinePassed",
        {"deadline": item.deadline, "blockTimestamp": view.head.timestamp},
        "The message's deadline passed before it could be sent.",
        "Sign it again with a later deadline.",
    )


def _affordable(items: Sequence[PendingMessage], fees: Fees, balance: int) -> list[PendingMessage]:
    """Return the first messages, as many as the balance pays for at their highest possible cost."""
    chosen: list[PendingMessage] = []
    for item in items:
        balance -= item.payload.gas * fees.maximum
        if balance < 0:
            break
        chosen.append(item)
    return chosen


def _is_due(slot: NonceSlot, memory: RelayMemory, resend_seconds: float, now: float) -> bool:
    sending = memory.sendings.get(slot.latest.hash)
    # A clock that was set back must not prevent sending.
    return sending is None or not 0 <= now - sending.at < resend_seconds


def _send_some(
    context: RelayContext, lease: Lease, view: ChainView, memory: RelayMemory, due: Sequence[NonceSlot]
) -> None:
    attempts = [slot.latest for slot in due]
    with context.storage.read() as connection:
        raws = ledger.raw_of(connection, [attempt.hash for attempt in attempts])
    now = context.clock()
    for attempt in attempts:
        memory.sendings.setdefault(attempt.hash, Sending(now, view.head.number)).at = now
    answers = context.chain.batch(
        [("eth_sendRawTransaction", [f"0x{raws[attempt.hash].hex()}"]) for attempt in attempts]
    )
    # Every answer is evaluated, also after a rejected one.
    accepted = [
        slot
        for slot, answer in zip(due, answers, strict=True)
        if _is_accepted(slot, raws[slot.latest.hash], answer, memory)
    ]
    news = [slot for slot in accepted if not slot.latest.was_sent]
    if news:
        with lease.write() as connection:
            seqs = [slot.receipt_seq for slot in news if slot.receipt_seq is not None]
            ledger.record_sent(connection, [slot.latest for slot in news], seqs, context.clock())


def _is_accepted(slot: NonceSlot, raw: bytes, answer: Any, memory: RelayMemory) -> bool:
    """Return whether the node has the transaction that was sent to it; if not, remember the reason."""
    memory.unpaid.pop(slot.nonce, None)
    if not isinstance(answer, RpcError):
        return True
    match classify(answer):
        case Rejection.KNOWN:
            return True
        case Rejection.UNDERPRICED:
            memory.underpriced.add(slot.nonce)
        case Rejection.UNFUNDED:
            memory.unpaid[slot.nonce] = payload_of(raw).gas * slot.latest.fees.maximum
        case Rejection.PERMANENT:
            log.error("the node rejected the transaction with nonce %d permanently: %s", slot.nonce, answer)
            memory.rejected[slot.nonce] = f"The node rejected the transaction: {answer.message}."
        case Rejection.TEMPORARY:
            log.warning("the node rejected the transaction with nonce %d for now: %s", slot.nonce, answer)
    return False
