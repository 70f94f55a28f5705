"""Reorganisations: transactions leave their blocks or move to others, and the relay recovers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from eth_account import Account

from registry.base.primitives import Bytes32
from registry.chain.calls import calldata
from registry.chain.client import Chain
from registry.relay.receipts import Receipt, Status
from registry.relay.relayer import Relayer
from tests.fixtures.waiting import step_until
from tests.index.faults import SpoilingChain
from tests.relay.world import OWNER, World

Moves = Callable[[], list[tuple[str, str]]]
DEPTHS = [1, 2, 5, 17, 64]
OUTSIDER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
"""Another key that anvil gives ether to."""


@pytest.fixture
def world(anvil_world: World) -> World:
    mine(anvil_world, 70)
    return anvil_world


def mine(world: World, blocks: int) -> None:
    world.chain.request("anvil_mine", [hex(blocks)])


def raw_transactions(chain: Chain, depth: int) -> list[str]:
    """The transactions of the newest blocks, as they were sent."""
    height = int(chain.request("eth_blockNumber"), 16)
    return [
        chain.request("eth_getRawTransactionByHash", [one])
        for number in range(height - depth + 1, height + 1)
        for one in chain.request("eth_getBlockByNumber", [hex(number), False])["transactions"]
    ]


def relay(world: World, relayer: Relayer, count: int) -> list[Receipt]:
    receipts = [world.submit(world.registration()) for _ in range(count)]
    settle(world, relayer, receipts)
    return receipts


def settle(world: World, relayer: Relayer, receipts: list[Receipt]) -> None:
    step_until(lambda: all(world.receipt(one).is_settled for one in receipts), relayer.step)


def canonical(world: World, receipt: Receipt) -> bool:
    """Return whether a receipt agrees with the chain."""
    found = world.receipt(receipt)
    answer = world.chain.request("eth_getTransactionReceipt", [str(found.transaction_hash)])
    return (
        answer is not None
        and Bytes32.parse(answer["blockHash"]) == found.block_hash
        and int(answer["blockNumber"], 16) == found.block_number
        and int(answer["status"], 16) == 1
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_transactions_that_a_reorganisation_drops_come_back(world: World, moves: Moves, depth: int) -> None:
    """R1, R3: mined goes back to sent by a reorganisation, and only so; in the end everything is on the chain."""
    relayer = world.relayer(finality=65)
    receipts = relay(world, relayer, 3)
    mine(world, max(depth - 3, 0))
    before = world.nonces()
    world.chain.request("anvil_reorg", [depth, []])
    relayer.step()
    settle(world, relayer, receipts)
    step_until(lambda: all(canonical(world, one) for one in receipts), relayer.step)
    assert world.nonces() == before
    assert ("mined", "sent") in moves()
    mine(world, 66)
    step_until(lambda: all(world.status(one) is Status.FINAL for one in receipts), relayer.step)


@pytest.mark.parametrize("depth", DEPTHS[2:])
def test_transactions_that_come_back_in_other_blocks_are_followed_there(world: World, moves: Moves, depth: int) -> None:
    """R3, R5: the block that a receipt names is on the chain."""
    relayer = world.relayer(finality=65)
    receipts = relay(world, relayer, 3)
    mine(world, depth - 3)
    raws = raw_transactions(world.chain, depth)
    assert len(raws) == 3
    # Into the last two blocks, which were empty: anvil may have put two into one block before, so that other places
    # could be those where they are already.
    places = (depth - 2, depth - 2, depth - 1)
    world.chain.request("anvil_reorg", [depth, [[raw, place] for place, raw in zip(places, raws, strict=True)]])
    relayer.step()
    step_until(lambda: all(world.receipt(one).is_settled and canonical(world, one) for one in receipts), relayer.step)
    assert ("mined", "sent") in moves()


def test_a_reorganisation_while_the_relayer_is_away_is_seen_when_it_is_back(world: World, moves: Moves) -> None:
    receipts = relay(world, world.relayer(finality=65), 3)
    world.chain.request("anvil_reorg", [3, []])
    mine(world, 5)
    relayer = world.relayer(finality=65)
    step_until(lambda: all(world.receipt(one).is_settled and canonical(world, one) for one in receipts), relayer.step)


def test_one_old_answer_about_a_block_that_is_gone_makes_nothing_final(world: World, moves: Moves) -> None:
    """R1, R3: final is for ever, so two looks must agree. Found by chaos, `--seed 1 --nodes 7`, after 500 kills: an old
    answer came just when the block would have been final, and its messages were final in no block."""
    relayer = world.relayer(finality=4)
    (receipt,) = relay(world, relayer, 1)
    was = world.receipt(receipt).block_number
    assert was is not None
    gone = world.chain.request("eth_getBlockByNumber", [hex(was), False])
    mine(world, 10)
    world.chain.request("anvil_reorg", [11, []])
    lies = iter([gone])

    def old_once(method: str, params: Sequence[object], answer: object) -> object:
        is_asked = method == "eth_getBlockByNumber" and params[0] == hex(was)
        return next(lies, answer) if is_asked else answer

    deceived = world.relayer(finality=4, chain=SpoilingChain(world.chain, old_once))
    deceived.step()
    assert next(lies, None) is None
    assert world.status(receipt) is Status.MINED
    step_until(lambda: world.receipt(receipt).is_settled and canonical(world, receipt), deceived.step)
    assert ("mined", "sent") in moves()
    mine(world, 5)
    step_until(lambda: world.status(receipt) is Status.FINAL, deceived.step)
    assert canonical(world, receipt)


def test_a_copy_that_comes_first_in_the_new_branch_is_the_effect(world: World, moves: Moves) -> None:
    """R1: our own transaction reverts there, and the message has its effect all the same."""
    relayer = world.relayer(finality=65)
    message = world.registration()
    receipt = world.submit(message)
    settle(world, relayer, [receipt])
    (raw,) = raw_transactions(world.chain, 1)
    outsider = Account.from_key(OUTSIDER_KEY)
    copy = outsider.sign_transaction(
        {
            "type": 2,
            "chainId": world.deployment.chain_id,
            "nonce": int(world.chain.request("eth_getTransactionCount", [outsider.address, "latest"]), 16),
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "gas": 500_000,
            "to": str(world.deployment.address_of("DatasetRegistry")),
            "data": calldata(message, OWNER.sign(message, world.deployment)),
        }
    )
    mine(world, 2)
    world.chain.request("anvil_reorg", [3, [["0x" + bytes(copy.raw_transaction).hex(), 0], [raw, 1]]])
    step_until(lambda: world.receipt(receipt).already_done, relayer.step)
    found = world.receipt(receipt)
    assert found.status is Status.MINED
    assert found.failure is None
    assert str(found.transaction_hash) == "0x" + bytes(copy.hash).hex()
    mine(world, 66)
    step_until(lambda: world.status(receipt) is Status.FINAL, relayer.step)


def test_a_refusal_that_a_reorganisation_undoes_is_taken_back(world: World, moves: Moves) -> None:
    """R1: a failure is not permanent before its block is final."""
    relayer = world.relayer(finality=65)
    message = world.registration()
    early = world.accept(world.grant(message.dataset_id))
    settle(world, relayer, [early])
    assert world.receipt(early).failure is not None
    (refused,) = raw_transactions(world.chain, 1)
    outsider = Account.from_key(OUTSIDER_KEY)
    first = outsider.sign_transaction(
        {
            "type": 2,
            "chainId": world.deployment.chain_id,
            "nonce": int(world.chain.request("eth_getTransactionCount", [outsider.address, "latest"]), 16),
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "gas": 500_000,
            "to": str(world.deployment.address_of("DatasetRegistry")),
            "data": calldata(message, OWNER.sign(message, world.deployment)),
        }
    )
    mine(world, 2)
    world.chain.request("anvil_reorg", [3, [["0x" + bytes(first.raw_transaction).hex(), 0], [refused, 1]]])
    step_until(lambda: world.receipt(early).is_settled and world.receipt(early).failure is None, relayer.step)
    mine(world, 66)
    step_until(lambda: world.status(early) is Status.FINAL, relayer.step)
