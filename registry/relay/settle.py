"""Update messages by what the chain says: they become mined, final or failed, or return to an earlier status."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from registry.base.errors import ContractRefused
from registry.chain.calls import simulate
from registry.chain.client import RpcError
from registry.chain.history import BlockRef
from registry.relay import ledger
from registry.relay.context import RelayContext
from registry.relay.effects import find_effect
from registry.relay.lease import Lease
from registry.relay.memory import RelayMemory
from registry.relay.model import DEPLOY, Inclusion, NonceSlot, Outcome
from registry.relay.observe import ChainView, check_blocks, is_used_for_good
from registry.relay.receipts import Failure
from registry.relay.signing import Payload, payload_of

log = logging.getLogger(__name__)

FOREIGN_SIGHTINGS: Final = 5
"""After this number of steps, a used nonce without any of our transactions counts as used by another program."""


def settle_blocks(context: RelayContext, lease: Lease, view: ChainView, memory: RelayMemory) -> None:
    """Compare the recorded blocks with the chain; record which are gone and which have become final.

    Raises:
        LeaseLost: Another relayer has taken over the key.
        Unavailable: The chain or the database cannot be used now.
    """
    with context.storage.read() as connection:
        recorded = ledger.mined_blocks(connection, context.address)
    checked = check_blocks(context.chain, recorded, view)
    # Finality is permanent, but a lagging node may give an outdated answer: two checks must agree.
    final = [block_hash for block_hash in checked.final if block_hash in memory.looked_final]
    memory.looked_final = set(checked.final)
    if not checked.gone and not final:
        return
    with lease.write() as connection:
        if checked.gone:
            back = ledger.reopen(connection, context.address, checked.gone, context.clock())
            log.warning(
                "a reorganisation removed %d blocks; %d messages return to an earlier status", len(checked.gone), back
            )
        if final:
            ledger.finalise(connection, context.address, final, context.clock())


def settle_inclusions(context: RelayContext, lease: Lease, memory: RelayMemory, included: Sequence[Inclusion]) -> None:
    """Record the outcomes of messages whose transactions are in blocks.

    Raises:
        LeaseLost: Another relayer has taken over the key.
        Unavailable: The chain or the database cannot be used now.
        RpcError: The node refused.
    """
    done = [inclusion for inclusion in included if inclusion.succeeded and not inclusion.attempt.is_fill]
    if done:
        outcomes = [Outcome(inclusion) for inclusion in done]
        with lease.write() as connection:
            ledger.record_outcomes(connection, context.address, outcomes, context.clock())
    for inclusion in included:
        if not inclusion.succeeded or inclusion.attempt.is_fill:
            outcome = _judge(context, memory, inclusion)
            with lease.write() as connection:
                ledger.record_outcomes(connection, context.address, [outcome], context.clock())
    for inclusion in included:
        memory.forget(inclusion.slot)


def give_up_foreign(
    context: RelayContext, lease: Lease, view: ChainView, memory: RelayMemory, slots: Sequence[NonceSlot]
) -> None:
    """Give up nonces that were used by a transaction of another program with the same key.

    Raises:
        LeaseLost: Another relayer has taken over the key.
        Unavailable: The chain or the database cannot be used now.
        RpcError: The node refused.
    """
    for slot in slots:
        if slot.nonce >= view.used:
            memory.foreign.pop(slot.nonce, None)
            continue
        seen = memory.foreign[slot.nonce] = memory.foreign.get(slot.nonce, 0) + 1
        if seen >= FOREIGN_SIGHTINGS and is_used_for_good(context.chain, context.address, slot.nonce, view):
            log.error("nonce %d of %s was used by a transaction of another program", slot.nonce, context.address)
            with lease.write() as connection:
                ledger.record_foreign(connection, context.address, slot)
            memory.forget(slot)


def _judge(context: RelayContext, memory: RelayMemory, inclusion: Inclusion) -> Outcome:
    """Return the outcome of a transaction that reverted, or of a filler."""
    slot = inclusion.slot
    if slot.receipt_seq is None:
        if slot.purpose == DEPLOY:
            log.error("the deployment with nonce %d reverted", slot.nonce)
        return Outcome(inclusion)
    with context.storage.read() as connection:
        message = ledger.message_of(connection, context.protocols, slot.receipt_seq)
        raw = ledger.raw_of(connection, [inclusion.attempt.hash])[inclusion.attempt.hash]
    block = BlockRef(inclusion.block_number, inclusion.block_hash, 0)
    effect = find_effect(context.chain, context.deployment, context.protocols, message, block)
    if effect is not None:
        return Outcome(inclusion, effect=effect)
    if inclusion.attempt.is_fill:
        reason = memory.rejected.get(slot.nonce, "The node rejected the transaction.")
        return Outcome(inclusion, failure=Failure("Rejected", detail=reason))
    return Outcome(inclusion, failure=_reason(context, payload_of(raw), inclusion))


def _reason(context: RelayContext, payload: Payload, inclusion: Inclusion) -> Failure:
    """Return why a transaction reverted. Its call is simulated on the state after its block, then before it."""
    call = {
        "from": str(context.address),
        "to": str(payload.to),
        "gas": hex(payload.gas),
        "data": f"0x{payload.data.hex()}",
    }
    for height in (inclusion.block_number, inclusion.block_number - 1):
        try:
            simulate(context.chain, call, hex(height), refusals=context.protocols.refusals)
        except ContractRefused as refused:
            return Failure.of(refused)
        except RpcError as error:
            log.warning("the node gives no reason why 0x%s reverted: %s", inclusion.attempt.hash.hex(), error)
    if inclusion.gas_used >= payload.gas:
        return Failure("OutOfGas", {"gas": payload.gas}, "The action needs more gas than its published limit.")
    return Failure("Reverted", {}, "The contract reverted without a reason.")
