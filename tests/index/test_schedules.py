"""R4 over random schedules: blocks, reorganisations, crashes and restarts in any order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.index import sync
from registry.index.check import check, fingerprint
from registry.index.sync import Indexer
from registry.rooms.catalogue import ROOMS
from registry.storage import Storage
from tests.fixtures.crashes import Crash, crash
from tests.fixtures.randomness import draws
from tests.index.activity import Activity

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("blocks"), st.integers(1, 5)),
        st.tuples(st.just("reorg"), st.integers(1, 64)),
        st.tuples(st.just("step"), st.integers(1, 3)),
        st.tuples(st.just("crash"), st.integers(0, 2)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    min_size=3,
    max_size=15,
)
CRASHES = ("apply", "keep_blocks", "write_cursor")


@pytest.mark.long
@settings(
    max_examples=draws(8, 25),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**16), steps=STEPS)
def test_whatever_happens_the_index_is_the_fold_of_the_canonical_chain(
    seed: int, steps: list[tuple[str, int]], activity: Activity, storage: Storage
) -> None:
    """R4: index(height) = fold of the canonical chain's events, and a rebuild gives the same."""
    activity.random.seed(seed)
    indexer = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8)
    for action, number in steps:
        if action == "blocks":
            for _ in range(number):
                activity.act(3)
                activity.mine()
        elif action == "reorg":
            activity.reorg(min(number, activity.head_number() - activity.deployment.block_number - 1))
        elif action == "step":
            for _ in range(number):
                indexer.step()
        elif action == "crash":
            crash_at(CRASHES[number], indexer)
        else:
            indexer = Indexer(activity.chain, storage, activity.deployment, ROOMS, finality=8)
    indexer.catch_up()
    assert check(activity.chain, storage, activity.deployment, ROOMS).is_equal
    followed = fingerprint(storage, ROOMS)
    indexer.start_over()
    indexer.catch_up()
    assert fingerprint(storage, ROOMS) == followed


def crash_at(place: str, indexer: Indexer) -> None:
    """Run the indexer until it reaches the given point, and crash there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, place, crash)
        try:
            indexer.catch_up()
        except Crash:
            return
