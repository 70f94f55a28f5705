"""A contract wallet's code occupies the embedded chain's EVM for a limited time, by a clock of the tests."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from registry.base.errors import InvalidInput
from registry.devchain.budget import Budget
from registry.relay import patience
from registry.relay.already_done import require_signed_by
from registry.relay.receipts import Status
from scripts.strangers.burning import ACCOMMODATING
from scripts.strangers.kinds import PAIR
from tests.relay.test_budgets import LONG, accepted, deploy, owned_by
from tests.relay.world import World

FOREVER = bytes.fromhex("5b600056")  # JUMPDEST; PUSH1 0; JUMP
LOOKS = 90
"""The number of readings of the clock after which the time is up. An honest registration needs some tens."""
TOO_MANY_PAIRS = 11


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> itertools.count[int]:
    """A clock that advances with each reading; it returns the number of readings."""
    looks = itertools.count()
    clock = partial(next, looks)
    monkeypatch.setattr(patience, "Budget", partial(Budget, clock=lambda: clock() * patience.SECONDS / LOOKS))
    return looks


def pairings() -> bytes:
    """Code that gives the pairing check more pairs than the node takes at once, then says yes."""
    length = f"61{len(PAIR) * TOO_MANY_PAIRS:04x}"  # PUSH2
    return bytes.fromhex(f"60006000{length}600060085afa50") + ACCOMMODATING  # STATICCALL(gas, 8, 0, length, 0, 0); POP


@pytest.mark.parametrize("code", [FOREVER, pairings()], ids=["a loop", "pairings"])
def test_a_rehearsal_ends_with_its_time(small_world: World, impatient: itertools.count[int], code: bytes) -> None:
    """Without the limit the loop would run until its gas is used up, and the contract refuse the signature."""
    world = small_world
    message = owned_by(world, deploy(world, code))
    with pytest.raises(InvalidInput, match="Simulating this message takes too long") as caught:
        world.submit(message, signature=LONG)
    assert "Nothing was accepted" in caught.value.hint
    assert next(impatient) <= LOOKS + 3
    assert accepted(world.storage) == 0


@pytest.mark.parametrize("code", [FOREVER, pairings()], ids=["a loop", "pairings"])
def test_a_wallets_word_on_a_message_that_was_sent_before_ends_with_its_time(
    small_world: World, impatient: itertools.count[int], code: bytes
) -> None:
    world = small_world
    wallet = deploy(world, code)
    submission = world.prepare(owned_by(world, wallet), LONG)
    with pytest.raises(InvalidInput, match="Simulating this message takes too long"):
        require_signed_by(world.chain, wallet, submission)
    assert next(impatient) <= LOOKS + 3


def test_honest_messages_are_far_from_the_limit(small_world: World, impatient: itertools.count[int]) -> None:
    world = small_world
    assert world.submit(world.registration()).status is Status.ACCEPTED
    wallet = deploy(world, ACCOMMODATING)
    assert world.submit(owned_by(world, wallet), signature=LONG).status is Status.ACCEPTED
    assert next(impatient) < LOOKS // 2
