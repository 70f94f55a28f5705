"""Which transactions are replaced, and by what: by the rules of `RelaySettings`, with figures worked out by hand.

The node asks for a base fee of 100 and suggests 10 for the block's maker. The relayer then offers 2 x 100 + 10 = 210,
at most 1,000. Another offer under the same nonce is an eighth more, and one: 200 + 25 + 1 = 226 and 10 + 1 + 1 = 12.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.chain.history import BlockRef
from registry.relay.fees import Fees, Prices
from registry.relay.memory import RelayMemory, Sending
from registry.relay.model import Attempt, NonceSlot
from registry.relay.observe import ChainView
from registry.relay.replace import Replacement, ReplacementPlan, plan_replacements
from registry.relay.settings import RelaySettings

NOW: Final = 10_000.0
HEIGHT: Final = 50
SETTINGS: Final = RelaySettings(resend_seconds=5, stuck_blocks=3, stale_seconds=60, maximum_fee=1_000)
VIEW: Final = ChainView(
    head=BlockRef(HEIGHT, ZERO_BYTES32, int(NOW)),
    prices=Prices(base_fee=100, priority=10),
    used=7,
    balance=10**18,
    final=-1,
    is_syncing=False,
)
NOTHING: Final = ReplacementPlan()
USUAL: Final = Fees(200, 10)


def slot(nonce: int, *offers: Fees, is_fill: bool = False, was_sent: bool = True) -> NonceSlot:
    """Return a nonce; its last transaction, one for each offer, is as described, and those before were sent."""
    last = len(offers)
    attempts = tuple(
        Attempt(nonce, number, name(nonce, number), fees, is_fill and number == last, was_sent or number < last)
        for number, fees in enumerate(offers, 1)
    )
    return NonceSlot(nonce, "message", nonce, attempts)


def name(nonce: int, number: int = 1) -> Bytes32:
    """Return the hash of a transaction."""
    return Bytes32(bytes(30) + bytes([nonce, number]))


def memory(*nonces: int, blocks: int = 3, seconds: float = 5, **fields: Any) -> RelayMemory:
    """Return that the first transactions of some nonces were sent so many blocks and seconds ago, and more."""
    sending = Sending(NOW - seconds, HEIGHT - blocks)
    return RelayMemory(sendings={name(nonce): sending for nonce in nonces}, **fields)


def plan(*slots: NonceSlot, known: RelayMemory, view: ChainView = VIEW, now: float = NOW) -> ReplacementPlan:
    return plan_replacements(slots, view, known, SETTINGS, now)


def replaced(waiting: NonceSlot, maximum: int, priority: int, *, is_fill: bool = False) -> Replacement:
    return Replacement(waiting, Fees(maximum, priority), is_fill)


def test_first_nonce_without_a_block_after_three_blocks_and_five_seconds_is_replaced() -> None:
    first = slot(7, USUAL)
    assert plan(first, known=memory(7)) == ReplacementPlan((replaced(first, 226, 12),))


@pytest.mark.parametrize(
    ("waiting", "known"),
    [
        pytest.param(slot(7, USUAL), memory(7, blocks=2), id="two blocks"),
        pytest.param(slot(7, USUAL), memory(7, seconds=4.9), id="less than five seconds"),
        pytest.param(slot(7, USUAL, was_sent=False), memory(7), id="no node has it"),
        pytest.param(slot(7, USUAL), memory(), id="the relayer has not sent it since it started"),
        pytest.param(slot(6, USUAL), memory(6), id="the nonce is used"),
        pytest.param(slot(7, USUAL), memory(7, unpaid={7: 1}), id="the account has too little"),
    ],
)
def test_nonce_that_may_still_get_its_block_is_not_replaced(waiting: NonceSlot, known: RelayMemory) -> None:
    assert plan(waiting, known=known) == NOTHING


def test_other_nonces_wait_for_the_first() -> None:
    first, second = slot(7, USUAL), slot(8, USUAL)
    assert plan(first, second, known=memory(7, 8)) == ReplacementPlan((replaced(first, 226, 12),))
    assert plan(first, second, known=memory(8)) == NOTHING


@pytest.mark.parametrize(("blocks", "seconds"), [(1, 0), (0, 5)])
def test_offer_below_the_base_fee_is_replaced_after_a_block_or_five_seconds_wherever_it_stands(
    blocks: int, seconds: float
) -> None:
    first, low = slot(7, USUAL), slot(8, Fees(99, 8))
    known = memory(7, 8, blocks=blocks, seconds=seconds)
    assert plan(first, low, known=known) == ReplacementPlan((replaced(low, 210, 10),))
    assert plan(first, slot(8, Fees(100, 8)), known=known) == NOTHING
    assert plan(first, low, known=memory(7, 8, blocks=0, seconds=4.9)) == NOTHING


def test_offer_that_the_node_calls_too_low_is_replaced_in_the_same_way() -> None:
    first, second = slot(7, USUAL), slot(8, USUAL, was_sent=False)
    known = memory(7, 8, blocks=1, seconds=0, underpriced={8})
    assert plan(first, second, known=known) == ReplacementPlan((replaced(second, 226, 12),))


def test_transaction_that_no_node_accepts_is_replaced_by_a_filler_at_once() -> None:
    first, second = slot(7, USUAL), slot(8, USUAL, was_sent=False)
    known = memory(rejected={8: "too large"})
    assert plan(first, second, known=known) == ReplacementPlan((replaced(second, 226, 12, is_fill=True),))


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param(slot(8, USUAL), id="a node has it all the same"),
        pytest.param(slot(8, USUAL, USUAL, was_sent=False), id="a node has an earlier one"),
        pytest.param(slot(8, USUAL, was_sent=False, is_fill=True), id="it is a filler"),
    ],
)
def test_rejected_nonce_gets_no_filler_where_one_of_its_transactions_may_get_a_block(waiting: NonceSlot) -> None:
    assert plan(slot(7, USUAL), waiting, known=memory(rejected={8: "too large"})) == NOTHING


def test_filler_is_replaced_by_a_filler() -> None:
    first = slot(7, USUAL, is_fill=True)
    assert plan(first, known=memory(7)) == ReplacementPlan((replaced(first, 226, 12, is_fill=True),))


def test_new_offer_is_an_eighth_above_the_latest_one() -> None:
    first = slot(7, Fees(100, 8), Fees(400, 80))
    known = memory()
    known.sendings[name(7, 2)] = Sending(NOW - 5, HEIGHT - 3)
    assert plan(first, known=known) == ReplacementPlan((replaced(first, 451, 91),))


def test_offer_above_the_highest_fee_is_not_made_and_the_others_are() -> None:
    """888 + 111 + 1 is 1,000, and 889 + 111 + 1 is one more."""
    dear, low = slot(7, Fees(889, 10)), slot(8, Fees(99, 8))
    known = memory(7, 8)
    assert plan(dear, low, known=known) == ReplacementPlan((replaced(low, 210, 10),), too_costly=(7,))
    highest = slot(7, Fees(888, 10))
    assert plan(highest, known=known) == ReplacementPlan((replaced(highest, 1_000, 12),))


def test_offer_is_capped_where_the_node_asks_for_more_than_the_highest_fee() -> None:
    first = slot(7, USUAL)
    view = replace(VIEW, prices=Prices(base_fee=600, priority=10))
    assert plan(first, known=memory(7), view=view) == ReplacementPlan((replaced(first, 1_000, 12),))


def test_plain_gas_price_is_replaced_by_a_plain_gas_price() -> None:
    first = slot(7, Fees(48, 48, is_legacy=True))
    view = replace(VIEW, prices=Prices(0, 50, is_legacy=True))
    assert plan(first, known=memory(7), view=view) == ReplacementPlan(
        (Replacement(first, Fees(55, 55, is_legacy=True), is_fill=False),)
    )


def test_nothing_is_replaced_while_the_node_is_behind_or_isolated() -> None:
    first, refused = slot(7, USUAL), slot(8, USUAL, was_sent=False)
    known = memory(7, seconds=100, rejected={8: "too large"})
    assert plan(first, refused, known=known, view=replace(VIEW, is_syncing=True)) == NOTHING
    assert plan(first, refused, known=known, now=NOW + 61) == NOTHING
    assert len(plan(first, refused, known=known, now=NOW + 60).replacements) == 2


def test_no_nonce_no_replacement() -> None:
    assert plan(known=memory()) == NOTHING
