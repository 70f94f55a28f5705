"""A witness signs one ascending history, whatever its own node, the registry's node, its clock and crashes do."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from registry.base.errors import RegistryError
from registry.notes.alarm import Alarm
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, Signature
from registry.witness.decision import Refuse
from registry.witness.store import WitnessStore
from registry.witness.witness import Witness
from tests.fixtures.randomness import draws
from tests.witness.simulator import NODE, STRANGER, SimulatedChain

BRANCH = st.integers(0, 2)
"""The branch: that of the witness's own node, or one of the others."""


class Histories(RuleBasedStateMachine):
    """A witness beside a node that forks, lags and lies, ended and opened again at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="tdr-witness-")
        self.chain = SimulatedChain()
        self.now = 1_000.0
        self.signed: list[tuple[Checkpoint, int]] = []
        self.alarms = 0
        self.open()
        self.witness.advance()

    def open(self) -> None:
        store = WitnessStore.open(Path(self._folder.name))
        self.witness = Witness(store, self.chain, [NODE.verifier], clock=lambda: self.now)

    def teardown(self) -> None:
        self.witness.close()
        self._folder.cleanup()

    def branch(self, which: int) -> int:
        return (self.chain.current + which) % len(self.chain.branches)

    @rule(which=BRANCH, count=st.integers(1, 4), is_seen=st.booleans())
    def grow(self, which: int, count: int, is_seen: bool) -> None:
        self.chain.grow(self.branch(which), count)
        if is_seen:
            self.advance()

    @rule(which=BRANCH, back=st.integers(0, 3), count=st.integers(0, 4))
    def split(self, which: int, back: int, count: int) -> None:
        branch = self.branch(which)
        new = self.chain.split(branch, max(0, len(self.chain.branches[branch]) - 1 - back))
        self.chain.grow(new, count)

    @rule(which=BRANCH, lag=st.integers(0, 3))
    def switch(self, which: int, lag: int) -> None:
        self.chain.current, self.chain.lag = self.branch(which), lag

    @rule(which=BRANCH)
    def ask_while_the_node_is_down(self, which: int) -> None:
        self.chain.is_down = True
        self.advance()
        self.ask(which, 0, is_strange=False)
        self.chain.is_down = False

    @rule(seconds=st.integers(-500, 1_000))
    def turn_clock(self, seconds: int) -> None:
        self.now = max(0.0, self.now + seconds)

    @rule()
    def end(self) -> None:
        self.witness.close()
        self.open()

    @rule()
    def advance(self) -> None:
        try:
            self.witness.advance()
        except RegistryError:
            assert self.chain.is_down

    @rule(which=BRANCH, back=st.sampled_from((0, 0, 1, 2, 3, 5)), is_strange=st.sampled_from((False,) * 5 + (True,)))
    def ask_for_a_signature(self, which: int, back: int, is_strange: bool) -> None:
        self.ask(which, back, is_strange=is_strange)

    def ask(self, which: int, back: int, *, is_strange: bool) -> Signature | Refuse | Alarm:
        branch = self.branch(which)
        height = max(0, len(self.chain.branches[branch]) - 1 - back)
        note = self.chain.note(branch, height, STRANGER if is_strange else NODE)
        answer = self.witness.consider(note)
        if isinstance(answer, Alarm):
            assert answer.theirs == note
            assert answer in [raised.alarm for raised in self.witness.alarms()]
        if isinstance(answer, Signature):
            assert not is_strange
            time = Note(note.text, (answer,)).verify(self.witness.key)
            assert time is not None
            self.signed.append((Checkpoint.of(note), time))
        return answer

    @invariant()
    def never_two_blocks_for_one_height(self) -> None:
        assert len({checkpoint.height for checkpoint, _ in self.signed}) == len(
            {(checkpoint.height, checkpoint.block_hash) for checkpoint, _ in self.signed}
        )

    @invariant()
    def never_a_smaller_height_nor_an_earlier_time(self) -> None:
        heights = [checkpoint.height for checkpoint, _ in self.signed]
        times = [time for _, time in self.signed]
        assert heights == sorted(heights)
        assert times == sorted(times)

    @invariant()
    def all_on_one_branch(self) -> None:
        assert not self.signed or any(
            all(
                checkpoint.height < len(branch) and branch[checkpoint.height]["hash"] == str(checkpoint.block_hash)
                for checkpoint, _ in self.signed
            )
            for branch in self.chain.branches
        )

    @invariant()
    def no_alarm_is_lost(self) -> None:
        count = len(self.witness.alarms())
        assert count >= self.alarms
        self.alarms = count


@pytest.mark.long
def test_a_witness_signs_one_history_upwards_whatever_happens() -> None:
    examples = settings(max_examples=draws(20, 60), stateful_step_count=50)
    run_state_machine_as_test(Histories, settings=examples)


def test_each_kind_of_answer_is_met_and_keeps_the_invariants() -> None:
    """The walk above may or may not meet an answer; this history meets all of them, each for its own reason."""
    history = Histories()
    try:
        history.grow(which=0, count=3, is_seen=True)
        assert isinstance(history.ask(which=0, back=0, is_strange=False), Signature)
        assert isinstance(history.ask(which=0, back=1, is_strange=False), Refuse), "smaller than what is signed"
        history.grow(which=0, count=1, is_seen=True)
        assert isinstance(history.ask(which=0, back=0, is_strange=True), Refuse), "not of the node's key"
        history.split(which=0, back=2, count=1)
        assert isinstance(history.ask(which=1, back=0, is_strange=False), Alarm), "another block at a height"
        history.end()
        history.no_alarm_is_lost()
        assert history.alarms == 1
        for holds in (history.never_two_blocks_for_one_height, history.never_a_smaller_height_nor_an_earlier_time):
            holds()
        history.all_on_one_branch()
        assert len(history.signed) == 1
    finally:
        history.teardown()
