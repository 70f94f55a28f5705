"""The rules of a witness, one at a time, and the contents of its folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.base.errors import Conflict, InvalidInput, NotFound, Unavailable, VerificationFailed
from registry.base.primitives import Bytes32
from registry.chain.client import ChainIdentity, ChainUnavailable
from registry.ethereum.header import Header, encode_header
from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, Signature
from registry.witness.decision import Reason, Refuse
from registry.witness.follow import Fork, extend
from registry.witness.store import WitnessStore
from registry.witness.witness import Witness
from tests.fixtures.clocks import Clock
from tests.witness.simulator import CHAIN_ID, NODE, STRANGER, SimulatedChain


@pytest.fixture
def chain() -> SimulatedChain:
    chain = SimulatedChain()
    chain.grow(0, 5)
    return chain


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000.0)


@pytest.fixture
def witness(tmp_path: Path, chain: SimulatedChain, clock: Clock) -> Iterator[Witness]:
    """A witness that began at block 5 and has followed the chain to block 8."""
    witness = Witness(WitnessStore.open(tmp_path / "w"), chain, [NODE.verifier], clock=clock)
    witness.advance()
    chain.grow(0, 3)
    witness.advance()
    yield witness
    witness.close()


def refused(answer: Signature | Refuse | Alarm) -> Reason:
    assert isinstance(answer, Refuse)
    return answer.reason


def signed_at(witness: Witness, note: Note) -> int | None:
    answer = witness.consider(note)
    assert isinstance(answer, Signature)
    return Note(note.text, (answer,)).verify(witness.key)


def test_a_followed_block_is_cosigned_and_the_cosignature_verifies(witness: Witness, chain: SimulatedChain) -> None:
    assert signed_at(witness, chain.note(0, 7)) == 1_000


def test_a_block_that_is_final_since_a_moment_ago_is_cosigned_at_once(witness: Witness, chain: SimulatedChain) -> None:
    chain.grow(0, 1)
    assert signed_at(witness, chain.note(0, 9)) == 1_000


def test_the_same_height_again_is_cosigned_again_and_a_smaller_one_refused(
    witness: Witness, chain: SimulatedChain
) -> None:
    signed_at(witness, chain.note(0, 7))
    signed_at(witness, chain.note(0, 7))
    assert refused(witness.consider(chain.note(0, 6))) is Reason.SMALLER
    assert witness.alarms() == []


def test_a_clock_that_goes_back_does_not_take_the_stated_time_back(
    witness: Witness, chain: SimulatedChain, clock: Clock
) -> None:
    signed_at(witness, chain.note(0, 6))
    clock.now = 10.0
    assert signed_at(witness, chain.note(0, 7)) == 1_000


def test_a_note_by_nobody_known_is_refused_and_alarms_nobody(witness: Witness, chain: SimulatedChain) -> None:
    branch = chain.split(0, 6)
    assert refused(witness.consider(chain.note(branch, 7, STRANGER))) is Reason.UNKNOWN_NODE
    assert refused(witness.consider(Note(chain.note(0, 7).text, ()))) is Reason.UNKNOWN_NODE
    assert witness.alarms() == []


def test_a_note_of_another_chain_is_refused(witness: Witness, chain: SimulatedChain) -> None:
    block = chain.checkpoint(0, 7).block_hash
    note = NODE.sign(Checkpoint(CHAIN_ID + 1, 7, block).note(), 0)
    assert refused(witness.consider(note)) is Reason.OTHER_CHAIN


def test_a_note_that_states_no_checkpoint_is_malformed(witness: Witness) -> None:
    with pytest.raises(InvalidInput, match="not a checkpoint"):
        witness.consider(NODE.sign(Note("hello\n", ()), 0))


def test_heights_that_were_not_followed_or_are_not_final_are_refused(witness: Witness, chain: SimulatedChain) -> None:
    assert refused(witness.consider(chain.note(0, 4))) is Reason.NOT_FOLLOWED
    chain.grow(0, 1)
    chain.lag = 1
    assert refused(witness.consider(chain.note(0, 9))) is Reason.AHEAD


def test_two_notes_for_one_height_raise_an_alarm_with_both(witness: Witness, chain: SimulatedChain) -> None:
    honest = chain.note(0, 7)
    signed_at(witness, honest)
    lie = chain.note(chain.split(0, 6), 7)
    answer = witness.consider(lie)
    assert answer == Alarm(AlarmKind.TWO_NOTES, honest, lie)
    (raised,) = witness.alarms()
    assert (raised.alarm, raised.time, raised.acknowledged_at) == (answer, 1_000, None)
    raised.alarm.ours.verify(NODE.verifier)
    raised.alarm.theirs.verify(NODE.verifier)
    assert witness.health().open_alarms == 1


def test_a_note_against_what_was_followed_raises_an_alarm_with_both_blocks(
    witness: Witness, chain: SimulatedChain
) -> None:
    lie = chain.note(chain.split(0, 6), 7)
    answer = witness.consider(lie)
    assert answer == Alarm(AlarmKind.OTHER_BLOCK, chain.checkpoint(0, 7).note(), lie)
    assert [raised.alarm for raised in witness.alarms()] == [answer]


def test_the_same_lie_again_is_one_alarm_and_what_is_true_is_still_cosigned(
    witness: Witness, chain: SimulatedChain
) -> None:
    branch = chain.split(0, 6)
    for _ in range(3):
        witness.consider(chain.note(branch, 7))
    assert len(witness.alarms()) == 1
    signed_at(witness, chain.note(0, 8))


def test_a_lie_below_what_was_cosigned_is_an_alarm_as_well(witness: Witness, chain: SimulatedChain) -> None:
    signed_at(witness, chain.note(0, 8))
    assert isinstance(witness.consider(chain.note(chain.split(0, 5), 6)), Alarm)


@pytest.mark.parametrize("height", [7, 8], ids=["below the last block", "behind the last block"])
def test_an_own_node_that_leaves_the_branch_raises_an_alarm_and_is_not_followed(
    witness: Witness, chain: SimulatedChain, height: int
) -> None:
    """A parent hash that does not match: both blocks are shown, and no later block is cosigned."""
    if height == 8:
        chain.branches[0] = chain.branches[0][:8]
        chain.grow(0, 1)  # Another block 8: the parent of block 9 is not the one that was followed.
        branch = 0
    else:
        branch = chain.split(0, height - 1)
        chain.grow(branch, 3)
        chain.current = branch
    chain.grow(branch, 1)
    assert not witness.advance()
    (raised,) = witness.alarms()
    assert raised.alarm.kind is AlarmKind.FORK
    assert raised.alarm.theirs == chain.checkpoint(branch, 8).note()
    assert "left the branch" in witness.health().fault
    assert refused(witness.consider(chain.note(branch, 9))) is Reason.FORKED


def test_an_own_node_that_comes_back_to_the_branch_is_followed_again(witness: Witness, chain: SimulatedChain) -> None:
    branch = chain.split(0, 6)
    chain.grow(branch, 5)
    chain.current = branch
    witness.advance()
    chain.current, chain.lag = 0, 3  # It has block 5 as final, which both branches have.
    witness.advance()
    assert witness.health().state is not None
    assert witness.health().state.is_forked  # type: ignore[union-attr]
    chain.grow(0, 4)
    chain.lag = 0
    witness.advance()
    signed_at(witness, chain.note(0, 12))
    assert len(witness.alarms()) == 1, "the alarm is kept"


def test_a_header_that_does_not_hash_to_its_block_is_not_believed(witness: Witness, chain: SimulatedChain) -> None:
    chain.grow(0, 1)
    chain.branches[0][9] = chain.branches[0][9] | {"timestamp": "0x1"}
    with pytest.raises(ChainUnavailable, match="invalid header"):
        witness.advance()
    assert witness.health().state is not None
    assert witness.health().state.tip == chain.checkpoint(0, 8)  # type: ignore[union-attr]


def test_everything_is_there_again_after_an_end(
    tmp_path: Path, witness: Witness, chain: SimulatedChain, clock: Clock
) -> None:
    honest = chain.note(0, 7)
    signed_at(witness, honest)
    witness.close()
    again = Witness(WitnessStore.open(tmp_path / "w"), chain, [NODE.verifier], clock=clock)
    assert refused(again.consider(chain.note(0, 6))) is Reason.SMALLER
    lie = chain.note(chain.split(0, 6), 7)
    assert again.consider(lie) == Alarm(AlarmKind.TWO_NOTES, honest, lie)
    again.close()


def test_no_block_followed_yet_means_no_answer(tmp_path: Path, chain: SimulatedChain) -> None:
    chain.is_down = True
    witness = Witness(WitnessStore.open(tmp_path / "n"), chain, [NODE.verifier])
    with pytest.raises(Unavailable, match="has not followed a block yet"):
        witness.consider(chain.note(0, 5))
    witness.close()


def test_a_node_of_another_chain_is_not_followed(tmp_path: Path, chain: SimulatedChain, witness: Witness) -> None:
    witness.close()
    store = WitnessStore.open(tmp_path / "w")
    with pytest.raises(Conflict, match="This witness follows chain 4711"):
        store.bind(ChainIdentity(1, chain.identity.genesis_hash))
    with pytest.raises(Conflict):
        store.bind(ChainIdentity(CHAIN_ID, Bytes32(b"\x07" * 32)))
    store.close()


def test_the_store_itself_refuses_a_smaller_height_an_earlier_time_and_another_block(
    tmp_path: Path, chain: SimulatedChain
) -> None:
    """The table checks again after the decision: a fault in other code cannot make the witness sign two histories."""
    with_store = WitnessStore.open(tmp_path / "s")
    with_store.bind(chain.identity)
    with_store.follow([chain.checkpoint(0, height) for height in range(6)])
    with_store.commit(chain.note(0, 4), chain.checkpoint(0, 4), 50)
    for height, time, branch in ((3, 60, 0), (5, 49, 0), (5, 60, chain.split(0, 4))):
        with pytest.raises(Conflict):
            with_store.commit(chain.note(branch, height), chain.checkpoint(branch, height), time)
    with pytest.raises(Conflict, match="do not follow block 5"):
        with_store.follow([chain.checkpoint(0, 5)])
    with_store.close()


class TestFolder:
    def test_it_is_readable_by_its_owner_alone(self, tmp_path: Path) -> None:
        WitnessStore.open(tmp_path / "w").close()
        assert (tmp_path / "w").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "w/witness.key").stat().st_mode & 0o777 == 0o600

    def test_a_second_process_is_kept_out_but_may_look(self, tmp_path: Path) -> None:
        first = WitnessStore.open(tmp_path / "w")
        with pytest.raises(Conflict, match="Another process"):
            WitnessStore.open(tmp_path / "w")
        WitnessStore.open(tmp_path / "w", alone=False).close()
        first.close()
        WitnessStore.open(tmp_path / "w").close()

    @pytest.mark.parametrize("is_emptied", [False, True], ids=["gone", "empty"])
    def test_a_key_without_its_state_signs_nothing(self, tmp_path: Path, is_emptied: bool) -> None:
        WitnessStore.open(tmp_path / "w").close()
        state = tmp_path / "w/witness.sqlite3"
        state.unlink()
        if is_emptied:
            state.touch()
        for _ in range(2):
            with pytest.raises(Conflict, match="not the record of what it signed"):
                WitnessStore.open(tmp_path / "w")

    def test_a_copy_of_key_and_state_made_while_it_runs_has_forgotten_nothing(
        self, tmp_path: Path, chain: SimulatedChain
    ) -> None:
        running = WitnessStore.open(tmp_path / "w")
        running.bind(chain.identity)
        block = chain.checkpoint(0, 4)
        running.follow([block])
        running.commit(chain.note(0, 4), block, 1_000)
        (tmp_path / "copy").mkdir(0o700)
        for name in ("witness.key", "witness.sqlite3"):
            shutil.copy2(tmp_path / "w" / name, tmp_path / "copy" / name)
        copied = WitnessStore.open(tmp_path / "copy")
        assert copied.state() == running.state()
        for opened in (running, copied):
            opened.close()

    def test_a_state_without_its_key_or_with_another_is_refused(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            WitnessStore.open(tmp_path / name).close()
        key = tmp_path / "a/witness.key"
        key.write_text((tmp_path / "b/witness.key").read_text())
        with pytest.raises(Conflict, match="belongs to the key"):
            WitnessStore.open(tmp_path / "a")
        key.unlink()
        with pytest.raises(Conflict, match="key of this state is not at"):
            WitnessStore.open(tmp_path / "a")

    def test_a_crash_before_the_key_was_bound_is_survived(self, tmp_path: Path) -> None:
        WitnessStore.open(tmp_path / "w").close()
        with sqlite3.connect(tmp_path / "w/witness.sqlite3") as connection:
            connection.execute("DELETE FROM witness")
        connection.close()
        WitnessStore.open(tmp_path / "w").close()

    def test_a_name_is_given_once(self, tmp_path: Path) -> None:
        opened = WitnessStore.open(tmp_path / "w", name="witness.example")
        assert opened.key.verifier.name == "witness.example"
        opened.close()
        with pytest.raises(Conflict, match=r"has the name 'witness\.example'"):
            WitnessStore.open(tmp_path / "w", name="other.example")

    def test_a_key_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        WitnessStore.open(tmp_path / "w").close()
        (tmp_path / "w/witness.key").chmod(0o644)
        with pytest.raises(InvalidInput, match="is readable by users other than"):
            WitnessStore.open(tmp_path / "w")

    @pytest.mark.parametrize("damage", ["", "hello", "PRIVATE+KEY+a+00000000+AAAA"])
    def test_a_damaged_key_is_refused_without_quoting_it(self, tmp_path: Path, damage: str) -> None:
        WitnessStore.open(tmp_path / "w").close()
        (tmp_path / "w/witness.key").write_text(damage)
        with pytest.raises(InvalidInput, match="does not contain a key") as caught:
            WitnessStore.open(tmp_path / "w")
        assert not damage or damage not in str(caught.value)

    def test_an_alarm_is_acknowledged_once_and_stays(self, tmp_path: Path, chain: SimulatedChain) -> None:
        opened = WitnessStore.open(tmp_path / "w")
        branch = chain.split(0, 3)
        alarm = Alarm(AlarmKind.TWO_NOTES, chain.note(0, 4), chain.note(branch, 4))
        assert opened.raise_alarm(alarm, 10)
        assert not opened.raise_alarm(alarm, 11)
        opened.acknowledge(1, 20)
        opened.acknowledge(1, 30)
        (kept,) = opened.alarms()
        assert (kept.number, kept.alarm, kept.time, kept.acknowledged_at) == (1, alarm, 10, 20)
        with pytest.raises(NotFound):
            opened.acknowledge(2, 20)
        opened.close()


def test_an_alarm_shows_two_blocks_for_one_height(chain: SimulatedChain) -> None:
    with pytest.raises(InvalidInput, match="two blocks for one height"):
        Alarm(AlarmKind.FORK, chain.note(0, 3), chain.note(0, 4))
    with pytest.raises(InvalidInput, match="two blocks for one height"):
        Alarm(AlarmKind.FORK, chain.note(0, 3), chain.note(0, 3))
    alarm = Alarm(AlarmKind.FORK, chain.checkpoint(0, 4).note(), chain.note(chain.split(0, 3), 4))
    assert Alarm.from_json(alarm.to_json()) == alarm
    for broken in (None, [], {}, alarm.to_json() | {"kind": "x"}, alarm.to_json() | {"ours": 1}):
        with pytest.raises(InvalidInput):
            Alarm.from_json(broken)


def test_a_cosignature_by_one_witness_is_none_by_another(witness: Witness, chain: SimulatedChain) -> None:
    answer = witness.consider(chain.note(0, 8))
    assert isinstance(answer, Signature)
    with pytest.raises(VerificationFailed):
        Note(chain.note(0, 8).text, (answer,)).verify(NODE.verifier)


def test_an_own_node_that_replaced_the_last_block_and_has_none_behind_it_raises_an_alarm(
    witness: Witness, chain: SimulatedChain
) -> None:
    chain.current = chain.split(0, 7)
    assert not witness.advance()
    assert [raised.alarm.ours for raised in witness.alarms()] == [chain.checkpoint(0, 8).note()]


class TestExtend:
    """A parent hash that does not continue is never followed."""

    def headers(self, chain: SimulatedChain, branch: int, heights: range) -> list[Header]:
        return [Header.decode(encode_header(chain.branches[branch][height])) for height in heights]

    def test_blocks_that_are_linked_are_followed(self, chain: SimulatedChain) -> None:
        followed = extend(chain.checkpoint(0, 1), self.headers(chain, 0, range(2, 6)))
        assert followed == [chain.checkpoint(0, height) for height in range(2, 6)]
        assert extend(chain.checkpoint(0, 1), []) == []

    def test_a_first_block_of_another_parent_is_a_fork(self, chain: SimulatedChain) -> None:
        branch = chain.split(0, 2)
        chain.grow(branch, 1)
        fork = extend(chain.checkpoint(0, 3), self.headers(chain, branch, range(4, 5)))
        assert fork == Fork(chain.checkpoint(0, 3), chain.checkpoint(branch, 3))

    def test_a_later_block_of_another_parent_ends_what_is_followed(self, chain: SimulatedChain) -> None:
        branch = chain.split(0, 2)
        chain.grow(branch, 3)
        mixed = [*self.headers(chain, 0, range(2, 4)), *self.headers(chain, branch, range(4, 6))]
        assert extend(chain.checkpoint(0, 1), mixed) == [chain.checkpoint(0, 2), chain.checkpoint(0, 3)]

    def test_a_gap_ends_what_is_followed(self, chain: SimulatedChain) -> None:
        gap = [*self.headers(chain, 0, range(2, 3)), *self.headers(chain, 0, range(4, 6))]
        assert extend(chain.checkpoint(0, 1), gap) == [chain.checkpoint(0, 2)]
