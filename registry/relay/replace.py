"""Decide which stuck transactions to replace by ones that offer more. Pure functions."""

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
    """The replacement of a transaction.

    Args:
        slot: The transaction's nonce.
        fees: What the new transaction offers.
        is_fill: Whether the new transaction only uses up the nonce.
    """

    slot: NonceSlot
    fees: Fees
    is_fill: bool


@dataclass(frozen=True, slots=True)
class ReplacementPlan:
    """The replacements to make now.

    Args:
        replacements: The replacements in ascending order of the nonces.
        too_costly: Nonces whose replacement needs more than the highest fee allowed.
    """

    replacements: tuple[Replacement, ...] = ()
    too_costly: tuple[int, ...] = ()


def plan_replacements(
    slots: Sequence[NonceSlot], view: ChainView, memory: RelayMemory, settings: RelaySettings, now: float
) -> ReplacementPlan:
    """Return the transactions to be replaced.

    Args:
        slots: The nonces that are in no block, in ascending order.
        view: The chain as the node sees it.
        memory: What the relayer remembers; it is not changed.
        settings: The relayer's settings.
        now: Unix seconds.
    """
    if view.is_syncing or now - view.head.timestamp > settings.stale_seconds:
        return ReplacementPlan()
    offer = view.prices.offer(settings.maximum_fee)
    replacements: list[Replacement] = []
    too_costly: list[int] = []
    for slot in slots:
        # A transaction that no node will accept is replaced by a filler, unless a node has accepted it anyway.
        fill = slot.nonce in memory.rejected and not any(
            attempt.was_sent or attempt.is_fill for attempt in slot.attempts
        )
        if not fill and not _is_stuck(slot, view, memory, settings, now, is_first=slot is slots[0]):
            continue
        if slot.nonce in memory.unpaid:
            continue  # The account cannot even pay for the current one.
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
    # Only the first can be stuck: the others wait for it. And only a transaction that a node has can be stuck.
    return is_first and slot.latest.was_sent and blocks >= settings.stuck_blocks and waited >= settings.resend_seconds
