"""The path of a message from accepted to final, and obstacles on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count, pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from registry.chain.client import Chain
from registry.relay.fees import GWEI, Fees
from registry.relay.lease import LeaseLost, take
from registry.relay.receipts import Receipt, Status
from registry.relay.signing import Payload
from registry.relay.status import relay_status
from registry.relay.tables import ATTEMPTS, NONCES
from registry.storage import Storage
from tests.fixtures.altered import Altered
from tests.fixtures.crashes import Crash
from tests.fixtures.waiting import step_until
from tests.relay.faults import Crashing, losing_answers, refusing
from tests.relay.world import OWNER, World

Moves = Callable[[], list[tuple[str, str]]]


def mine(world: World, blocks: int = 1) -> None:
    for _ in range(blocks):
        world.chain.request("evm_mine", [])


def all_in(world: World, receipts: list[Receipt], status: Status) -> bool:
    return all(world.status(receipt) is status for receipt in receipts)


def test_what_is_accepted_becomes_final(world: World, moves: Moves) -> None:
    """R1, R2, R3: exactly one effect each, by contiguous nonces, through the statuses in their order."""
    messages = [world.registration() for _ in range(20)]
    receipts = [world.submit(message) for message in messages]
    relayer = world.relayer()
    step_until(lambda: all(world.receipt(one).is_settled for one in receipts), relayer.step)
    mine(world, 3)
    step_until(lambda: all_in(world, receipts, Status.FINAL), relayer.step)
    assert all(world.head_of(message.dataset_id).version == 1 for message in messages)
    assert all(later == earlier + 1 for earlier, later in pairwise(world.nonces()))
    assert {(old, new) for old, new in moves()} == {
        ("accepted", "signed"),
        ("signed", "sent"),
        ("sent", "mined"),
        ("mined", "final"),
    }
    final = world.receipt(receipts[0])
    assert final.block_hash is not None
    assert final.failure is None
    assert relay_status(world.storage, relayer.address, world.clock(), 120).receipts[Status.FINAL] == 20


def test_messages_that_build_on_each_other_are_carried_out_in_their_order(world: World) -> None:
    message = world.registration()
    receipts = [
        world.accept(message),
        world.accept(world.grant(message.dataset_id)),
        world.accept(world.revocation(message.dataset_id, 1)),
        world.accept(world.grant(message.dataset_id, 2)),
    ]
    relayer = world.relayer()
    step_until(lambda: all(world.receipt(one).is_settled for one in receipts), relayer.step)
    assert [world.receipt(receipt).failure for receipt in receipts] == [None] * 4


def test_an_answer_that_is_lost_after_sending_changes_nothing(world: World) -> None:
    """R1, R2: the same bytes are sent again, and nothing happens twice."""
    receipts = [world.submit(world.registration()) for _ in range(3)]
    nonces = len(world.nonces())
    relayer = world.relayer(chain=losing_answers(world.chain, 3), resend_seconds=0.05)
    stop = threading.Event()
    thread = threading.Thread(target=relayer.run, args=(stop,))
    thread.start()
    step_until(lambda: all(world.receipt(one).is_settled for one in receipts), lambda: None)
    stop.set()
    relayer.wake()
    thread.join()
    assert len(world.nonces()) == nonces + 3
    assert all(world.attempts(nonce) == 1 for nonce in world.nonces())


def test_of_two_relayers_with_one_key_one_works(world: World) -> None:
    """R2: no gap and no duplicate, for every signer."""
    first, second = world.relayer("first"), world.relayer("second")
    receipts = [world.submit(world.registration()) for _ in range(4)]
    step_until(lambda: all(world.receipt(one).is_settled for one in receipts), lambda: (first.step(), second.step()))
    assert first.holds_lease
    assert not second.holds_lease
    first.close()
    more = [world.submit(world.registration()) for _ in range(4)]
    step_until(lambda: all(world.receipt(one).is_settled for one in more), second.step)
    assert second.holds_lease
    assert all(later == earlier + 1 for earlier, later in pairwise(world.nonces()))


def test_a_relayer_that_was_thought_dead_cannot_write(world: World) -> None:
    """R2: the token of its lease is not the highest any longer."""
    first = world.relayer("first")
    first.step()
    world.submit(world.registration())
    with world.storage.write() as connection:
        connection.exec_driver_sql("UPDATE leases SET expires_at = 0")
    second = world.relayer("second")
    second.step()
    assert second.holds_lease
    nonces = world.nonces()
    world.submit(world.registration())
    with pytest.raises(LeaseLost):
        first.step()
    assert world.nonces() == nonces


def test_a_lease_is_free_when_it_has_run_out_and_not_before(storage: Storage, world: World) -> None:
    address = world.signer.address
    first = take(storage, address, "first", 60)
    assert first is not None
    assert take(storage, address, "second", 60) is None
    again = take(storage, address, "first", 0)
    assert again is not None
    assert again.token > first.token
    third = take(storage, address, "second", 60)
    assert third is not None
    assert third.token > again.token


def test_a_message_whose_deadline_has_passed_before_it_was_signed_fails_unsent(small_world: World) -> None:
    """C7, R1: it fails with the reason, and no nonce is spent on it."""
    world = small_world
    receipt = world.accept(world.registration(deadline=1))
    nonces = world.nonces()
    relayer = world.relayer()
    step_until(lambda: world.status(receipt) is Status.FAILED, relayer.step)
    failure = world.receipt(receipt).failure
    assert failure is not None
    assert failure.error == "DeadlinePassed"
    assert world.nonces() == nonces


def test_a_refusal_is_provisional_until_its_block_is_final(world: World) -> None:
    """R1: the failure is stated with the contract's own error."""
    message = world.registration()
    head = world.registration().content_root
    receipts = [world.accept(message), world.accept(world.revision(message.dataset_id, head))]
    relayer = world.relayer()
    step_until(lambda: all(world.receipt(one).is_settled for one in receipts), relayer.step)
    failure = world.receipt(receipts[1]).failure
    assert failure is not None
    assert failure.error == "HeadMismatch"
    assert failure.values["given"] == str(head)
    mine(world, 3)
    step_until(lambda: world.status(receipts[1]) is Status.FAILED, relayer.step)
    assert world.status(receipts[0]) is Status.FINAL


def test_a_copy_that_came_first_makes_ours_a_success(world: World) -> None:
    """R1: a transaction that reverted because the effect was there already is a success."""
    message = world.registration()
    first = world.accept(message)
    relayer = world.relayer()
    step_until(lambda: world.status(first) is Status.MINED, relayer.step)
    transaction_hash = world.receipt(first).transaction_hash
    with world.storage.write() as connection:  # As if another database had relayed it: here nothing was paid for.
        connection.exec_driver_sql("UPDATE receipts SET status = 'failed', transaction_hash = NULL")
    second = world.accept(message)
    step_until(lambda: world.status(second) is Status.MINED, relayer.step)
    settled = world.receipt(second)
    assert settled.already_done
    assert settled.failure is None
    assert settled.transaction_hash == transaction_hash


def test_no_more_wait_for_a_block_than_the_window_allows(small_world: World) -> None:
    world = small_world
    for _ in range(10):
        world.accept(world.registration())
    seen: list[int] = []

    def alter(method: str, params: Any, carry_out: Callable[[], Any]) -> Any:
        if method == "eth_sendRawTransaction":
            seen.append(relay_status(world.storage, world.signer.address, 0, 1).in_flight)
        return carry_out()

    relayer = world.relayer(chain=Altered(world.chain, alter), window=3)
    step_until(lambda: len(seen) >= 10, relayer.step)
    assert max(seen) == 3


def test_nothing_is_signed_that_the_balance_does_not_pay_for(small_world: World) -> None:
    world = small_world
    receipt = world.accept(world.registration())

    def alter(method: str, params: Any, carry_out: Callable[[], Any]) -> Any:
        return "0x1" if method == "eth_getBalance" else carry_out()

    relayer = world.relayer(chain=Altered(world.chain, alter))
    for _ in range(3):
        relayer.step()
    assert world.status(receipt) is Status.ACCEPTED
    step_until(lambda: world.status(receipt) is Status.MINED, world.relayer().step)


def test_a_transaction_that_no_node_will_take_is_filled_and_its_message_fails(small_world: World) -> None:
    """R2: the nonce is used up by a transaction that does nothing, so that the later ones can proceed."""
    world = small_world
    receipts = [world.accept(world.registration()) for _ in range(2)]
    relayer = world.relayer(chain=refusing(world.chain, "transaction type not supported", 1), finality=0)
    step_until(lambda: world.status(receipts[0]) is Status.FAILED, relayer.step)
    step_until(lambda: world.status(receipts[1]) is Status.FINAL, relayer.step)
    failure = world.receipt(receipts[0]).failure
    assert failure is not None
    assert failure.error == "Rejected"
    assert "transaction type not supported" in failure.detail


def test_a_nonce_that_was_used_elsewhere_is_given_up_and_its_message_sent_with_another(small_world: World) -> None:
    """R1, R2: also when another program uses the relayer's key."""
    world = small_world
    receipt = world.accept(world.registration())
    swallowing = refusing(world.chain, "txpool is full", 10**6)
    relayer = world.relayer(chain=swallowing, finality=0)
    relayer.step()
    assert world.status(receipt) is Status.SIGNED
    taken = world.nonces()[-1]
    payload = Payload(OWNER.address, b"", 21_000)
    other = world.signer.sign(world.deployment.chain_id, taken, Fees(100 * GWEI, GWEI), payload)
    world.chain.request("eth_sendRawTransaction", [f"0x{other.raw.hex()}"])
    relayer = world.relayer(finality=0)
    step_until(lambda: world.status(receipt) is Status.FINAL, relayer.step)
    assert world.nonces()[-1] == taken + 1
    with world.storage.read() as connection:
        purpose = connection.execute(select(NONCES.c.purpose).where(NONCES.c.nonce == taken)).scalar_one()
    assert purpose == "foreign"


def test_a_transaction_that_a_base_fee_jump_has_left_behind_is_replaced(anvil_world: World) -> None:
    """R2: replacements carry the same payload at the same nonce."""
    world = anvil_world
    anvil = world.chain
    anvil.request("evm_setAutomine", [False])
    try:
        receipt = world.submit(world.registration())
        relayer = world.relayer()
        relayer.step()
        nonce = world.nonces()[-1]
        block = anvil.request("eth_getBlockByNumber", ["latest", False])
        jump = 10 * int(block["baseFeePerGas"], 16) + 10**10

        def next_block() -> None:
            anvil.request("anvil_setNextBlockBaseFeePerGas", [hex(jump)])
            mine(world)
            relayer.step()

        step_until(lambda: world.status(receipt) is Status.MINED, next_block)
        assert world.attempts(nonce) > 1
        with world.storage.read() as connection:
            fees = list(
                connection.execute(
                    select(ATTEMPTS.c.maximum_fee).where(ATTEMPTS.c.nonce == nonce).order_by(ATTEMPTS.c.number)
                ).scalars()
            )
        assert all(10 * later >= 11 * earlier for earlier, later in pairwise(fees))
    finally:
        anvil.request("evm_setAutomine", [True])
        anvil.request("anvil_setNextBlockBaseFeePerGas", [hex(10**9)])
        mine(world)


def test_nothing_is_replaced_while_the_node_sees_no_new_blocks(anvil_world: World) -> None:
    world = anvil_world
    world.chain.request("evm_setAutomine", [False])
    try:
        world.submit(world.registration())
        relayer = world.relayer(resend_seconds=0.01, stuck_blocks=1)
        for _ in range(10):
            relayer.step()
            world.skew += 10
        nonce = world.nonces()[-1]
        assert world.attempts(nonce) == 1
        world.skew = 1000.0
        isolated = world.relayer(resend_seconds=0.01, stuck_blocks=0, stale_seconds=60.0)
        for _ in range(5):
            isolated.step()
            world.skew += 10
        assert world.attempts(nonce) == 1
    finally:
        world.chain.request("evm_setAutomine", [True])
        mine(world)


def test_a_clock_that_jumps_does_not_stop_the_relay(small_world: World) -> None:
    """R1: hours forward or back."""
    world = small_world
    relayer = world.relayer()
    receipts = []
    for skew in (0.0, 7200.0, -7200.0, 0.0):
        world.skew = skew
        receipts.append(world.accept(world.registration()))
        step_until(lambda: world.receipt(receipts[-1]).is_settled, relayer.step)
    assert all(world.receipt(one).is_settled for one in receipts)


def test_a_broken_bound_is_seen(small_world: World, caplog: pytest.LogCaptureFixture) -> None:
    world = small_world
    world.accept(world.registration())
    world.skew = 500.0
    status = relay_status(world.storage, world.signer.address, world.clock(), 120.0)
    assert status.is_bound_broken
    assert status.oldest_unmined_seconds >= 499
    relayer = world.relayer(chain=refusing(world.chain, "txpool is full", 10**6))
    relayer.step()
    assert "bound of 120 s" in caplog.text


@pytest.mark.parametrize("where", ["before an exchange", "after an exchange", "before a commit"])
def test_a_relayer_that_dies_anywhere_is_survived_by_the_next(where: str, embedded: Chain, storage: Storage) -> None:
    """R1, R2: the process dies at each exchange and each commit in turn; the next process continues."""
    world = World.make(embedded, storage)
    for moment in count():
        message = world.registration()
        messages = [message, world.grant(message.dataset_id), world.revision(message.dataset_id, message.content_root)]
        receipts = [world.accept(one) for one in messages]
        if not _dies_at(world, moment, where):
            break
        relayer = world.relayer(finality=0)
        step_until(lambda: all(world.receipt(one).is_closed for one in receipts), relayer.step)  # noqa: B023
        statuses = [world.status(one) for one in receipts]
        assert statuses == [Status.FINAL, Status.FINAL, Status.FAILED], f"after dying at {where} {moment}"
        assert world.nonces() == list(range(len(world.nonces())))
        assert all(world.attempts(nonce) == 1 for nonce in world.nonces())
    assert moment > 3


def _dies_at(world: World, moment: int, where: str) -> bool:
    """Run a relayer to the end, or until it dies at its n-th exchange or commit; return whether it died."""
    left = [moment]

    def tick(*_: object) -> bool:
        left[0] -= 1
        return left[0] == -1

    def on_commit(connection: Connection) -> None:
        only_reads = "isolation_level" in connection.get_execution_options()
        if not only_reads and tick():
            raise Crash

    chain: Chain = world.chain
    if where != "before a commit":
        chain = Crashing(world.chain, tick, after=where == "after an exchange")
    relayer = world.relayer(chain=chain, finality=0)
    if where == "before a commit":
        event.listen(world.storage.engine, "commit", on_commit)
    try:
        for _ in range(8):
            relayer.step()
    except Crash:
        world.storage.close()  # What a dead process had open is rolled back.
        return True
    finally:
        if where == "before a commit":
            event.remove(world.storage.engine, "commit", on_commit)
    return False
