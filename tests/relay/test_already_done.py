"""Messages sent directly to the chain: one receipt per effect, and only for an authorised sender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from registry.base.errors import Conflict, ContractRefused, InvalidInput
from registry.base.primitives import Bytes32
from registry.chain.client import Chain
from registry.index.sync import Indexer
from registry.relay.receipts import Status
from registry.relay.tables import IDEMPOTENCY_KEYS, RECEIPTS
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.messages import TitleTransfer
from registry.storage import Storage
from tests.fixtures.waiting import step_until
from tests.relay.world import LATER, OWNER, Owner, World

STRANGER = Owner("stranger")


class Recording:
    """A real chain that notes which methods it is asked for."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.asked: list[str] = []

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        self.asked.append(method)
        return self._chain.request(method, params)

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        self.asked += [method for method, _ in calls]
        return self._chain.batch(calls)


@pytest.fixture
def world(embedded: Chain, storage: Storage) -> World:
    return World.make(embedded, storage)


def rows(storage: Storage) -> tuple[int, int]:
    """How many receipts and idempotency keys there are."""
    with storage.read() as connection:
        receipts, keys = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (RECEIPTS, IDEMPOTENCY_KEYS)
        )
    return receipts, keys


def test_what_somebody_else_sent_already_is_a_success_without_a_transaction(world: World) -> None:
    message = world.registration()
    world.send_directly(message)
    before = world.nonces()
    receipt = world.submit(message)
    assert receipt.already_done
    assert receipt.status is Status.MINED
    relayer = world.relayer(finality=0)
    step_until(lambda: world.status(receipt) is Status.FINAL, relayer.step)
    assert world.nonces() == before


def test_what_is_not_taken_on_any_more_has_a_receipt_where_its_effect_is_there(world: World) -> None:
    def refuse(_: Connection) -> None:
        raise Conflict("Nothing new is taken on.")

    first, second = world.registration(), world.registration()
    accepted = world.submit(first)
    world.send_directly(second)
    assert world.submit(first, admission=refuse).id == accepted.id
    assert world.submit(second, admission=refuse).already_done
    with pytest.raises(Conflict):
        world.submit(world.registration(), admission=refuse)
    assert rows(world.storage) == (2, 0)


def test_another_registration_of_the_same_id_is_no_success(world: World) -> None:
    message = world.registration()
    world.send_directly(message)
    with pytest.raises(ContractRefused) as caught:
        world.submit(message.model_copy(update={"uri": "https://other"}))
    assert caught.value.name == "DatasetExists"


def test_without_the_owners_signature_nothing_is_written_and_no_log_is_read(world: World) -> None:
    """A stranger may copy a message from the chain and add any deadline and bytes, without a key."""
    registration = world.registration()
    world.send_directly(registration)
    revision = world.revision(registration.dataset_id, Bytes32(world.head_of(registration.dataset_id)))
    world.send_directly(revision)
    recording = Recording(world.chain)
    world.chain = recording
    for number in range(20):
        for message in (registration, revision):
            copied = message.model_copy(update={"deadline": LATER - number})
            signatures = [b"\x11" * 4096, b"\x11" * 65, STRANGER.sign(copied, world.deployment)]
            if number:
                signatures.append(OWNER.sign(message, world.deployment))
            for signature in signatures:
                with pytest.raises(ContractRefused) as caught:
                    world.submit(copied, key=str(number), signature=signature)
                assert caught.value.name == "SignatureNotBySigner"
                assert caught.value.values["signer"] == str(OWNER.address)
    assert rows(world.storage) == (0, 0)
    assert "eth_getLogs" not in recording.asked


def test_one_effect_has_one_receipt_however_often_its_owner_signs(world: World) -> None:
    message = world.registration()
    world.send_directly(message)
    answers = {
        world.submit(message.model_copy(update={"deadline": LATER - number}), key=f"k{number}").id
        for number in range(5)
    }
    assert len(answers) == 1
    assert rows(world.storage) == (1, 1)


def test_what_the_relayer_sent_itself_has_the_receipt_it_has(world: World) -> None:
    message = world.registration()
    receipt = world.submit(message)
    step_until(lambda: world.status(receipt) is Status.FINAL, world.relayer(finality=0).step)
    assert world.submit(message.model_copy(update={"deadline": LATER - 1})).id == receipt.id
    assert rows(world.storage) == (1, 0)


def test_a_repeated_message_gets_its_receipt_after_its_deadline(world: World) -> None:
    """A client whose answer was lost can ask again at any time; an unknown message is then refused."""
    now = int(world.chain.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
    message = world.registration(deadline=now + 30)
    receipt = world.accept(message)
    other = world.registration(deadline=now - 1)
    assert world.submit(message).id == receipt.id
    with pytest.raises(ContractRefused) as caught:
        world.submit(other)
    assert caught.value.name == "DeadlinePassed"
    assert rows(world.storage) == (1, 0)


def test_a_known_message_is_not_answered_to_another_signature(world: World) -> None:
    message = world.registration()
    receipt = world.submit(message)
    step_until(lambda: world.status(receipt) is Status.MINED, world.relayer().step)
    for signature in (b"\x11" * 65, b"\x11" * 4096, STRANGER.sign(message, world.deployment)):
        with pytest.raises(ContractRefused) as caught:
            world.submit(message, signature=signature)
        assert caught.value.name == "SignatureNotBySigner"


def test_documents_are_looked_at_after_the_signature(world: World) -> None:
    message = world.registration()
    looked_at = []

    def documents() -> None:
        looked_at.append(True)
        raise InvalidInput("they are not what was signed")

    with pytest.raises(ContractRefused):
        world.submit(message, STRANGER, also=documents)
    with pytest.raises(ContractRefused):
        world.submit(world.registration(deadline=1), also=documents)
    assert not looked_at
    with pytest.raises(InvalidInput):
        world.submit(message, also=documents)
    assert rows(world.storage) == (0, 0)


def test_a_former_owner_gets_a_receipt_for_what_was_theirs_to_sign(world: World) -> None:
    """The valid signature is that of the owner at the time of the effect, not of the present owner."""
    registration, buyer = world.registration(), Owner("buyer")
    dataset_id = registration.dataset_id
    world.send_directly(registration)
    transfer = TitleTransfer(
        dataset_id=dataset_id, head=Bytes32(world.head_of(dataset_id)), to=buyer.address, deadline=LATER
    )
    world.send_directly(transfer)
    indexer = Indexer(world.chain, world.storage, world.deployment, ROOMS)
    while indexer.step():
        pass
    with pytest.raises(ContractRefused) as caught:
        world.submit(transfer, buyer)
    assert caught.value.name == "SignatureNotBySigner"
    assert world.submit(transfer).already_done
    grant = world.grant(dataset_id)
    world.send_directly(grant, buyer)
    with pytest.raises(ContractRefused) as caught:
        world.submit(grant)
    assert caught.value.name == "SignatureNotBySigner"
    assert world.submit(grant, buyer).already_done
    assert rows(world.storage) == (2, 0)
