"""Timers fire exactly once, in the order of their dates, whatever clock, handlers and other processes do."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, text

from registry.storage import Storage, open_storage
from registry.timers.schedule import Handler, Timer, cancel, fire_due, has_due, schedule
from registry.timers.tables import TIMERS
from tests.fixtures.crashes import Crash, crash
from tests.fixtures.databases import ensure_migrated_sqlite
from tests.fixtures.randomness import draws

KEYS = ("a", "b", "c", "d")
HOUR = 3600


class Effects:
    """Handlers whose effect is a row in the database; those of some keys fail after it.

    Attributes:
        broken: The keys whose handler fails.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.broken: set[str] = set()
        self.handlers: dict[str, Handler] = {"note": self._note}
        with storage.write() as connection:
            connection.execute(text("CREATE TABLE effects (number BIGINT, fired VARCHAR)"))

    def _note(self, connection: Connection, timer: Timer) -> None:
        count = "INSERT INTO effects SELECT count(*), :fired FROM effects"
        connection.execute(text(count), {"fired": f"{timer.key}{timer.payload or ''}"})
        if timer.key in self.broken:
            raise RuntimeError(f"the handler of {timer.key} is broken")

    def fire(self, now: int, limit: int = 100) -> int:
        with self.storage.write() as connection:
            return fire_due(connection, self.handlers, now, limit)

    def schedule(self, key: str, due_at: int, payload: str | None = None, name: str = "note") -> None:
        with self.storage.write() as connection:
            schedule(connection, Timer(name, key, due_at, payload=payload))

    def fired(self) -> list[str]:
        with self.storage.read() as connection:
            return list(connection.scalars(text("SELECT fired FROM effects ORDER BY number")))


@pytest.fixture
def effects(storage: Storage) -> Effects:
    return Effects(storage)


def test_timers_fire_once_and_in_the_order_of_their_dates(effects: Effects) -> None:
    effects.schedule("later", 30, "!")
    effects.schedule("sooner", 10)
    effects.schedule("not yet", 31)
    assert effects.fire(9) == 0
    assert effects.fire(30, limit=1) == 1
    assert effects.fired() == ["sooner"]
    effects.fire(30)
    effects.fire(30)
    effects.fire(5)
    assert effects.fired() == ["sooner", "later!"]


def test_timer_that_is_done_is_not_scheduled_again_until_it_is_cancelled(effects: Effects) -> None:
    effects.schedule("a", 10)
    effects.fire(10)
    effects.schedule("a", 20)
    effects.fire(20)
    assert effects.fired() == ["a"]
    with effects.storage.write() as connection:
        cancel(connection, "note", "a")
    effects.schedule("a", 20)
    effects.fire(20)
    assert effects.fired() == ["a", "a"]


def test_handler_that_fails_undoes_its_effect_keeps_its_timer_and_lets_the_others_go_on(effects: Effects) -> None:
    effects.broken = {"a"}
    effects.schedule("a", 10)
    effects.schedule("b", 11)
    tried = [now for now in range(11, 60) if effects.fire(now)]
    assert effects.fired() == ["b"]
    assert tried == [11, 16, 26, 46], "pauses of 5, 10, 20 seconds"
    effects.broken = set()
    effects.fire(86)
    assert effects.fired() == ["b", "a"]


def test_pause_that_was_begun_by_a_clock_ahead_ends_when_the_clock_is_right_again(effects: Effects) -> None:
    effects.broken = {"a"}
    effects.schedule("a", 10)
    effects.fire(10**9)
    effects.broken = set()
    effects.fire(100)
    assert effects.fired() == ["a"]


def test_timer_without_a_handler_is_left_for_a_program_that_has_one(effects: Effects) -> None:
    effects.schedule("a", 10, name="of a newer version")
    assert effects.fire(10) == 0
    with effects.storage.read() as connection:
        assert not has_due(connection, effects.handlers, 10)
        assert has_due(connection, {"of a newer version": effects.handlers["note"]}, 10)


def test_process_that_ends_while_firing_has_fired_nothing(effects: Effects) -> None:
    effects.schedule("a", 10)

    def fire_and_crash() -> None:
        with effects.storage.write() as connection:
            fire_due(connection, effects.handlers, 10, 1)
            crash()

    with pytest.raises(Crash):
        fire_and_crash()
    assert effects.fired() == []
    effects.fire(10)
    assert effects.fired() == ["a"]


def test_two_who_fire_at_once_fire_each_timer_once(effects: Effects, migrated_url: str) -> None:
    keys = [f"{number:03}" for number in range(200)]
    for key in keys:
        effects.schedule(key, 10)
    start = threading.Barrier(2)

    def fire_all() -> None:
        storage = open_storage(migrated_url)
        start.wait()
        while True:
            with storage.write() as connection:
                fire_due(connection, effects.handlers, 10, 7)
            with storage.read() as connection:
                if not has_due(connection, effects.handlers, 10):
                    break
        storage.close()

    threads = [threading.Thread(target=fire_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(effects.fired()) == keys


def test_timer_that_another_is_firing_is_passed_over(postgresql_storage: Storage) -> None:
    """In SQLite a writer has the database to itself."""
    storage = postgresql_storage
    other = Effects(storage)
    for key in ("a", "b"):
        other.schedule(key, 10)
    with storage.write() as first:
        assert fire_due(first, other.handlers, 10, 1) == 1
        assert other.fire(10) == 1
        assert other.fire(10) == 0
    assert sorted(other.fired()) == ["a", "b"]


class TimersModel(RuleBasedStateMachine):
    """Timers against a dictionary, under a clock that jumps both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "timers.db"
        ensure_migrated_sqlite(file)
        storage = open_storage(f"sqlite:///{file}")
        self.effects = Effects(storage)
        self.now = 1000
        self.pending: dict[str, tuple[int, int, int | None]] = {}
        """Due date, failures and the end of the pause, by key."""
        self.done: set[str] = set()
        self.fired: list[str] = []

    def teardown(self) -> None:
        self.effects.storage.close()
        self.folder.cleanup()

    @rule(key=st.sampled_from(KEYS), ahead=st.integers(-50, 200))
    def schedule(self, key: str, ahead: int) -> None:
        self.effects.schedule(key, self.now + ahead)
        if key not in self.done:
            self.pending[key] = (self.now + ahead, 0, None)

    @rule(key=st.sampled_from(KEYS))
    def cancel(self, key: str) -> None:
        with self.effects.storage.write() as connection:
            cancel(connection, "note", key)
        self.pending.pop(key, None)
        self.done.discard(key)

    @rule(key=st.sampled_from(KEYS))
    def break_or_mend(self, key: str) -> None:
        self.effects.broken ^= {key}

    @rule(seconds=st.sampled_from((1, 5, 10, 100, 2 * HOUR, -1, -50, -3 * HOUR)))
    def move_the_clock(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        storage = self.effects.storage
        storage.close()
        self.effects.storage = open_storage(f"sqlite:///{Path(self.folder.name)}/timers.db")

    @rule(limit=st.integers(1, 3))
    def fire(self, limit: int) -> None:
        due = sorted(
            (due_at, key)
            for key, (due_at, _, retry_at) in self.pending.items()
            if due_at <= self.now and (retry_at is None or retry_at <= self.now or retry_at > self.now + HOUR)
        )[:limit]
        assert self.effects.fire(self.now, limit) == len(due)
        for due_at, key in due:
            if key in self.effects.broken:
                failures = self.pending[key][1]
                self.pending[key] = (due_at, failures + 1, self.now + min(5 * 2**failures, HOUR))
            else:
                del self.pending[key]
                self.done.add(key)
                self.fired.append(key)

    @invariant()
    def agrees(self) -> None:
        assert self.effects.fired() == self.fired
        with self.effects.storage.read() as connection:
            rows = connection.execute(TIMERS.select()).all()
        assert {row.key: row.due_at for row in rows if row.done_at is None} == {
            key: due_at for key, (due_at, _, _) in self.pending.items()
        }
        assert {row.key for row in rows if row.done_at is not None} == self.done


TestTimersModel = TimersModel.TestCase
TestTimersModel.settings = settings(max_examples=draws(20, 40), stateful_step_count=40)
