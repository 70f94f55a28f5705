"""Answers of the chain that are false: no client is told that its request is wrong, and each step can be repeated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from registry.base.errors import Conflict, ContractRefused, RegistryError, Unavailable
from registry.base.primitives import Bytes32
from registry.chain.client import Chain, RpcError
from registry.chain.history import block_at
from registry.ethereum.eip712 import Message
from registry.evidence_export.bundles import export_bundle
from registry.index.sync import Indexer
from registry.relay.receipts import Status
from registry.rooms.access.grantees import AccessLogs
from registry.rooms.access.service import counters_of, read_access
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.messages import TitleTransfer
from registry.rooms.datasets.service import head_of, read_dataset
from registry.storage import Storage
from tests.fixtures.altered import FALSE_ANSWERS, FalseAnswer, FalseOnce
from tests.fixtures.waiting import step_until
from tests.relay.world import LATER, OWNER, Owner, World

FALSE = pytest.mark.parametrize("answer", FALSE_ANSWERS.values(), ids=FALSE_ANSWERS)
BUYER = Owner("buyer")


@pytest.fixture
def world(embedded: Chain, sqlite_storage: Storage) -> World:
    return World.make(embedded, sqlite_storage)


def at_each_answer(
    world: World,
    act: Callable[[Chain], object],
    answer: FalseAnswer,
    expected: tuple[type[RegistryError], ...] = (Unavailable, RpcError),
) -> None:
    """Act once for each answer of the chain that the act needs, with a false answer in its place."""
    honest = FalseOnce(world.chain)
    act(honest)
    assert honest.asked
    for number, method in enumerate(honest.asked):
        try:
            act(FalseOnce(world.chain, number, answer))
        except expected:
            pass
        except Exception as error:
            raise AssertionError(f"answer {number}, to {method}: {type(error).__name__}: {error}") from error


def story(world: World) -> list[tuple[Message, Owner]]:
    """Messages that have taken effect already, with their signers: a registration, a revision, a transfer, a grant."""
    registration = world.registration()
    dataset_id = registration.dataset_id
    world.send_directly(registration)
    revision = world.revision(dataset_id, Bytes32(world.head_of(dataset_id)))
    world.send_directly(revision)
    transfer = TitleTransfer(
        dataset_id=dataset_id, head=Bytes32(world.head_of(dataset_id)), to=BUYER.address, deadline=LATER
    )
    world.send_directly(transfer)
    grant = world.grant(dataset_id)
    world.send_directly(grant, BUYER)
    indexer = Indexer(world.chain, world.storage, world.deployment, ROOMS)
    while indexer.step():
        pass
    return [(registration, OWNER), (revision, OWNER), (transfer, OWNER), (grant, BUYER)]


@FALSE
def test_an_honest_message_is_never_called_malformed(world: World, answer: FalseAnswer) -> None:
    """A gateway's endpoint that lags behind once had no contract yet, and honest grants were answered with 422."""
    honest, sent = world.chain, story(world)
    for message, signer in sent:

        def submit(chain: Chain, message: Message = message, signer: Owner = signer) -> None:
            world.chain = chain
            try:
                world.submit(message.model_copy(update={"deadline": message.deadline - world.made}), signer)
            finally:
                world.chain = honest
                world.made += 1

        at_each_answer(world, submit, answer, (Unavailable, RpcError, ContractRefused))


@FALSE
def test_relayer_and_indexer_try_again(world: World, answer: FalseAnswer) -> None:
    """A step that fails changes nothing that the next step needs."""
    receipts = []
    for _ in range(3):
        receipts.append(world.submit(world.registration()))
        at_each_answer(world, lambda chain: world.relayer(chain=chain).step(), answer)
    step_until(lambda: all(world.status(receipt) is Status.MINED for receipt in receipts), world.relayer().step)
    indexing = (Unavailable, RpcError, Conflict)  # A new indexer says "another chain", and its worker starts it again.
    at_each_answer(world, lambda chain: Indexer(chain, world.storage, world.deployment, ROOMS).step(), answer, indexing)


@FALSE
def test_a_reader_is_told_that_the_chain_did_not_answer(world: World, answer: FalseAnswer) -> None:
    dataset_id = story(world)[0][0].dataset_id
    until, deployment = block_at(world.chain), world.deployment
    grantee = Owner("grantee").address
    for act in (
        lambda chain: read_dataset(chain, deployment, dataset_id, until),
        lambda chain: head_of(chain, deployment, dataset_id, until),
        lambda chain: read_access(chain, deployment, dataset_id, grantee, until),
        lambda chain: counters_of(chain, deployment, dataset_id, grantee, until),
        lambda chain: AccessLogs(chain, deployment, dataset_id, until).to_show([grantee]),
        lambda chain: AccessLogs(chain, deployment, dataset_id, until).in_force(5),
        lambda chain: export_bundle(chain, deployment, dataset_id, until),
    ):
        at_each_answer(world, act, answer)
