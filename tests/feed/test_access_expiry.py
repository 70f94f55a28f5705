"""The expiry of grants is announced exactly once, whatever the blocks, the clock and the index do."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from registry.base.primitives import ZERO_BYTES32, DatasetId
from registry.feed.entries import EntryKind
from registry.index.sync import Indexer
from registry.node.timers import TimerWorker
from registry.rooms.access.messages import AccessGrant, AccessRevocation
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from registry.timers.tables import TIMERS
from tests.feed.consumer import Consumer
from tests.fixtures.clocks import Clock
from tests.index.activity import LATER, Activity
from tests.index.oracle import fold_chain

NEVER = 2**48 - 1


class World:
    """A dataset with a grantee, an index and a worker of timers."""

    def __init__(self, activity: Activity, indexer: Indexer, storage: Storage) -> None:
        self.activity = activity
        self.indexer = indexer
        self.storage = storage
        self.clock = Clock(0)
        self.worker = TimerWorker(storage, ROOMS, lambda: indexer.status.lag > 0, self.clock, 1.0)
        self.consumer = Consumer(storage)
        self.owner, self.grantee = activity.people[0], activity.people[1]
        registration = activity.registration(self.owner)
        activity.send(self.owner, registration)
        self.dataset_id: DatasetId = registration.dataset_id
        self.mine()

    def grant(self, seconds: int, epoch: int = 0) -> int:
        """Send a grant; return when it expires."""
        expires_at = seconds if seconds == NEVER else self.activity.time + seconds
        message = AccessGrant(
            dataset_id=self.dataset_id,
            grantee=self.activity.address(self.grantee),
            rights=1,
            starts_at=self.activity.time,
            expires_at=expires_at,
            terms_hash=ZERO_BYTES32,
            epoch=epoch,
            deadline=LATER,
        )
        self.activity.send(self.owner, message)
        return expires_at

    def revoke(self, epoch: int) -> None:
        grantee = self.activity.address(self.grantee)
        message = AccessRevocation(dataset_id=self.dataset_id, grantee=grantee, epoch=epoch, deadline=LATER)
        self.activity.send(self.owner, message)

    def mine(self, blocks: int = 1) -> None:
        self.activity.mine(blocks)
        self.indexer.catch_up()

    def fire(self) -> list[tuple[str, str | None]]:
        """Let the worker fire all that is due; return kind and name of the new entries that are about no event."""
        while self.worker.step():
            pass
        return [(EntryKind(entry.entry).word, entry.name) for entry in self.consumer.read() if entry.name is not None]

    def pending(self) -> int:
        with self.storage.read() as connection:
            return len(connection.execute(select(TIMERS).where(TIMERS.c.done_at.is_(None))).all())


@pytest.fixture
def world(activity: Activity, indexer: Indexer, storage: Storage) -> World:
    return World(activity, indexer, storage)


DUE = ("due", "AccessExpired")
RETRACTED = ("retraction", "AccessExpired")


def test_expiry_is_announced_once_over_restarts_clock_jumps_and_rebuilds(world: World) -> None:
    expires_at = world.grant(1000)
    world.mine()
    world.clock.now = expires_at - 1
    assert world.fire() == []
    world.clock.now = expires_at
    assert world.fire() == [DUE]
    (entry,) = world.consumer.due()
    assert entry.subject_kind == "dataset"
    assert entry.subject_id == world.dataset_id
    assert str(entry.account) == world.grantee.address
    assert json.loads(entry.values or "") == {"grantee": world.grantee.address, "epoch": 1, "expiresAt": expires_at}
    for now in (expires_at + 10**6, 0, expires_at):
        world.clock.now = now
        assert world.fire() == []
    world.indexer.start_over()
    world.indexer.catch_up()
    assert world.fire() == []
    assert world.pending() == 0


def test_time_of_the_block_counts_where_the_clock_is_behind(world: World) -> None:
    expires_at = world.grant(30)
    world.mine()
    world.clock.now = 0
    while world.activity.time < expires_at:
        assert world.fire() == []
        world.mine()
    assert world.fire() == [DUE]


@pytest.mark.parametrize("end", [lambda world: world.revoke(1), lambda world: world.grant(NEVER, 1)])
def test_grant_that_ends_early_or_never_does_not_expire(world: World, end: Callable[[World], object]) -> None:
    expires_at = world.grant(1000)
    world.mine()
    end(world)
    world.mine()
    assert world.pending() == 0
    world.clock.now = expires_at + 10**9
    assert world.fire() == []


def test_revocation_after_the_expiry_changes_nothing(world: World) -> None:
    expires_at = world.grant(15)
    world.mine()
    while world.activity.time < expires_at:
        world.mine()
    world.revoke(1)
    world.mine()
    assert world.fire() == [DUE]


def test_block_that_comes_late_and_ended_the_grant_before_retracts_the_expiry(world: World) -> None:
    expires_at = world.grant(1000)
    world.mine()
    world.clock.now = expires_at
    assert world.fire() == [DUE]
    world.revoke(1)
    world.mine()
    assert world.fire() == [RETRACTED]
    world.activity.reorg(1, keep=0.0)
    world.indexer.catch_up()
    assert world.fire() == [DUE]


def test_index_that_is_behind_lets_the_time_of_its_block_count_only(world: World) -> None:
    expires_at = world.grant(1000)
    world.mine()
    world.clock.now = expires_at
    world.indexer.status.chain_height = world.activity.head_number() + 1
    assert world.fire() == []
    world.indexer.status.chain_height -= 1
    assert world.fire() == [DUE]


def test_grant_that_is_taken_back_takes_its_timer_and_its_expiry_with_it(world: World) -> None:
    expires_at = world.grant(1000)
    world.mine()
    world.clock.now = expires_at
    assert world.fire() == [DUE]
    world.activity.reorg(1, keep=0.0)
    world.indexer.catch_up()
    assert world.fire() == [RETRACTED]
    assert world.consumer.due() == []
    assert world.pending() == 0


def test_grant_that_comes_back_in_another_block_expires_again(world: World) -> None:
    expires_at = world.grant(1000)
    world.mine()
    world.clock.now = expires_at
    assert world.fire() == [DUE]
    world.activity.reorg(1, keep=1.0)
    world.indexer.catch_up()
    assert world.fire() == [RETRACTED, DUE]


def test_early_end_that_is_taken_back_lets_the_grant_expire(world: World) -> None:
    expires_at = world.grant(1000)
    world.mine()
    world.revoke(1)
    world.mine()
    world.activity.reorg(1, keep=0.0)
    world.indexer.catch_up()
    world.clock.now = expires_at
    assert world.fire() == [DUE]


def test_what_holds_after_random_activity_is_what_the_chain_says_has_expired(world: World) -> None:
    activity = world.activity
    for number in range(16):
        for _ in range(4):
            activity.act(4)
            activity.mine()
        world.indexer.catch_up()
        world.clock.now = activity.time + (0, 300, -300)[number % 3]
        world.fire()
        activity.reorg(1 + number % 4, keep=(0.5, 1.0)[number % 2])
        world.indexer.catch_up()
        if number == 9:
            world.indexer.start_over()
            world.indexer.catch_up()
        world.fire()
    now = world.clock.now = activity.time + 10**4
    world.fire()
    expected = sorted(
        (grant.at.block_number * 2**20 + grant.at.log_index, dataset_id, grantee)
        for (dataset_id, grantee), access in fold_chain(activity.chain, activity.deployment)[1].items()
        for grant in access.grants
        if grant.expires_at <= now and (grant.ended is None or grant.ended.timestamp >= grant.expires_at)
    )
    assert [(entry.position, entry.subject_id, entry.account) for entry in world.consumer.due()] == expected
    assert expected
