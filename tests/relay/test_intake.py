"""Acceptance: every acknowledged message is stored exactly once, and no other is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from registry.base.errors import Conflict, ContractRefused, InvalidInput, Unavailable
from registry.base.primitives import Bytes32
from registry.chain.client import Chain, ChainUnavailable
from registry.ethereum.eip712 import Message
from registry.relay.intake import accept
from registry.relay.prepared import IdempotencyKey
from registry.relay.receipts import Status
from registry.relay.tables import RECEIPTS
from registry.storage import Storage
from tests.fixtures.waiting import step_until
from tests.relay.world import OWNER, Owner, World


def receipts(storage: Storage) -> int:
    with storage.read() as connection:
        count: int = connection.execute(select(func.count()).select_from(RECEIPTS)).scalar_one()
    return count


@pytest.fixture
def world(embedded: Chain, storage: Storage) -> World:
    return World.make(embedded, storage)


def test_fifty_requests_at_once_with_one_key_get_one_receipt(world: World) -> None:
    """R6: one idempotency key, one answer."""
    message = world.registration()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: world.submit(message, key="once").id, range(50)))
    assert len(set(answers)) == 1
    assert receipts(world.storage) == 1


def test_the_same_key_with_another_message_is_a_conflict(world: World) -> None:
    """R6: the same key with another body is refused."""
    first = world.submit(world.registration(), key="k")
    with pytest.raises(Conflict, match="another body"):
        world.submit(world.registration(), key="k")
    assert receipts(world.storage) == 1
    assert world.status(first) is Status.ACCEPTED


def test_two_messages_with_one_key_at_once_leave_one_receipt(world: World) -> None:
    """R6: of two bodies at the same moment, one wins and the other is refused."""

    def attempt(message: Message) -> str:
        try:
            return world.submit(message, key="k").id
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, [world.registration() for _ in range(8)]))
    assert answers.count("conflict") == 7
    assert receipts(world.storage) == 1


def test_a_strangers_key_does_not_get_in_the_way(world: World) -> None:
    world.submit(world.registration(), key="k")
    stranger = Owner("stranger")
    world.submit(world.registration(owner=stranger), stranger, key="k")
    assert receipts(world.storage) == 2


def test_the_same_message_without_a_key_has_one_receipt(world: World) -> None:
    message = world.registration()
    assert world.submit(message).id == world.submit(message, key="later").id == world.submit(message).id


def test_a_message_that_the_contract_refuses_is_not_accepted(world: World) -> None:
    with pytest.raises(ContractRefused) as caught:
        world.submit(world.registration(), Owner("forger"))
    assert caught.value.name == "SignatureNotBySigner"
    assert receipts(world.storage) == 0


def test_a_message_past_its_deadline_is_not_accepted(world: World) -> None:
    """C7: after its deadline a message has no effect."""
    with pytest.raises(ContractRefused) as caught:
        world.submit(world.registration(deadline=1))
    assert caught.value.name == "DeadlinePassed"


@pytest.mark.parametrize("signature", [b"", bytes(4097)])
def test_what_is_no_signature_is_refused(world: World, signature: bytes) -> None:
    with pytest.raises(InvalidInput, match="signature"):
        world.prepare(world.registration(), signature)


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü", "a\n"])
def test_what_is_no_idempotency_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="idempotency key"):
        IdempotencyKey(key)


class NoChain:
    """A chain that does not answer."""

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        raise ChainUnavailable("no answer")

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        raise ChainUnavailable("no answer")

    def close(self) -> None:
        return None


def test_nothing_is_accepted_while_the_chain_does_not_answer(world: World) -> None:
    world.chain = NoChain()
    with pytest.raises(Unavailable):
        world.submit(world.registration())
    assert receipts(world.storage) == 0


def test_what_goes_with_a_message_is_kept_with_it_or_not_at_all(world: World) -> None:
    """R1: an acknowledgement covers the whole transaction; an error covers none of it."""
    message = world.registration()
    submission = world.prepare(message, OWNER.sign(message, world.deployment))

    def fail(connection: Connection) -> None:
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable):
        accept(world.storage, submission, 0.0, also=fail)
    assert receipts(world.storage) == 0


def test_a_commit_whose_answer_is_lost_is_looked_up(world: World) -> None:
    """R1: if the database does not report whether it committed, the stored receipt is the answer."""

    class Ambiguous(Storage):
        @contextmanager
        def write(self) -> Any:
            with super().write() as connection:
                yield connection
            raise Unavailable("the answer to the commit was lost")

    whole = world.storage
    world.storage = Ambiguous(whole.name, whole.engine, whole._reader, whole._writer)
    message = world.registration()
    receipt = world.submit(message)
    world.storage = whole
    assert world.status(receipt) is Status.ACCEPTED


def test_a_message_whose_transaction_failed_is_not_accepted_again(world: World) -> None:
    """Its transaction was paid for, and would be paid for again: the receipt says that it failed, and why."""
    message = world.registration()
    relayer = world.relayer(finality=0)
    stale = world.revision(message.dataset_id, Bytes32(bytes(32)))
    first = world.accept(stale)
    step_until(lambda: world.status(first) is Status.FAILED, relayer.step)
    again = world.submit(stale)
    assert (again.id, again.status) == (first.id, Status.FAILED)
    assert again.failure is not None
    assert again.failure.error == "DatasetUnknown"
    assert receipts(world.storage) == 1


def test_a_message_that_failed_without_a_transaction_may_be_tried_again(world: World) -> None:
    """A message that expired before it was signed for a nonce cost nothing."""
    message = world.registration(deadline=1)
    first = world.accept(message)
    step_until(lambda: world.status(first) is Status.FAILED, world.relayer(finality=0).step)
    assert world.accept(message).id != first.id


def test_a_receipt_names_who_signed(world: World) -> None:
    assert world.submit(world.registration()).signer == OWNER.address
