"""Which transactions are replaced by others that offer more, because the chain passes over them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.relay.fees import Fees, outbid
from registry.relay.memory import RelayMemory
from registry.relay.model import NonceSlot
from registry.relay.observe import ChainView
from registry.relay.settings import RelaySettings


@dataclass(frozen=True, slots=True)
class Replacement:
    """A transaction to be replaced.

    Args:
        slot: Its nonce.
        fees: What the new transaction offers.
        is_fill: Whether the new transaction only uses up the nonce.
    """

    slot: NonceSlot
    fees: Fees
    is_fill: bool


@dataclass(frozen=True, slots=True)
class ReplacementPlan:
    """What is to be replaced.

    Args:
        replacements: The replacements in ascending order of the nonces.
        too_costly: Nonces that need more than the highest fee that is allowed.
    """

    replacements: tuple[Replacement, ...] = ()
    too_costly: tuple[int, ...] = ()


def plan_replacements(
    slots: Sequence[NonceSlot], view: ChainView, memory: RelayMemory, settings: RelaySettings, now: float
) -> ReplacementPlan:
    """Return which transactions are to be replaced.

    Args:
        slots: The nonces that are in no block, in ascending order.
        view: What the node says.
        memory: What the relayer remembers; it is not changed.
        settings: How the relayer behaves.
        now: Unix seconds.
    """
    if view.is_syncing or now - view.head.timestamp > settings.stale_seconds:
        return ReplacementPlan()
    offer = view.prices.offer(settings.maximum_fee)
    replacements: list[Replacement] = []
    too_costly: list[int] = []
    for slot in slots:
        # What no node will accept is replaced by a filler, unless a node has it all the same.
        fill = slot.nonce in memory.rejected and not any(
            attempt.was_sent or attempt.is_fill for attempt in slot.attempts
        )
        if not fill and not _is_stuck(slot, view, memory, settings, now, is_first=slot is slots[0]):
            continue
        if slot.nonce in memory.unpaid:
            continue  # The account has too little for it already.
        fees = outbid(slot.latest.fees, offer)
        if fees.maximum > settings.maximum_fee:
            too_costly.append(slot.nonce)
            continue
        replacements.append(Replacement(slot, fees, fill or slot.latest.is_fill))
    return ReplacementPlan(tuple(replacements), tuple(too_costly))


def _is_stuck(
    slot: NonceSlot, view: ChainView, memory: RelayMemory, settings: RelaySettings, now: float, *, is_first: bool
) -> bool:
    sending = memory.sendings.get(slot.latest.hash)
    if sending is None or slot.nonce < view.used:
        return False
    blocks = view.head.number - sending.height
    waited = now - sending.at
    if slot.latest.fees.maximum < view.prices.base_fee or slot.nonce in memory.underpriced:
        return blocks >= 1 or waited >= settings.resend_seconds
    # Only the first can be passed over; the others wait for it. And only a node that has it can pass it over.
    return is_first and slot.latest.was_sent and blocks >= settings.stuck_blocks and waited >= settings.resend_seconds
