"""`tdr witness` and what belongs to it, as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.note import KeyKind, VerifierKey
from registry.witness.store import WitnessStore
from tests.fixtures.commands import Done, tdr_here
from tests.witness.simulator import NODE, SimulatedChain


def tdr(*arguments: str | Path) -> Done:
    return tdr_here("witness", *arguments)


def test_the_key_is_made_once_and_printed_as_others_read_it(tmp_path: Path) -> None:
    first = tdr("key", "--data", tmp_path / "w", "--name", "w.example")
    again = tdr("key", "--data", tmp_path / "w")
    assert (first.code, again.out) == (0, first.out)
    key = VerifierKey.parse(first.out.strip())
    assert (key.name, key.kind) == ("w.example", KeyKind.COSIGNATURE)
    # PRIVATE+KEY+name+hex+base64, and base64 may hold a + itself.
    secret = (tmp_path / "w/witness.key").read_text().strip().split("+", 4)[4]
    assert len(secret) > 40
    assert secret not in first.out + first.err


def test_alarms_show_both_notes_and_the_exit_code_tells_until_they_are_acknowledged(tmp_path: Path) -> None:
    chain = SimulatedChain()
    chain.grow(0, 3)
    alarm = Alarm(AlarmKind.TWO_NOTES, chain.note(0, 3), chain.note(chain.split(0, 2), 3))
    store = WitnessStore.open(tmp_path / "w")
    assert tdr("alarms", "--data", tmp_path / "w").out == "There are no alarms.\n"
    store.raise_alarm(alarm, 1_700_000_000)
    shown = tdr("alarms", "--data", tmp_path / "w")  # The witness may run meanwhile.
    assert shown.code == 1
    for note in (alarm.ours, alarm.theirs):
        for line in str(note).splitlines():
            assert line in shown.out
    (item,) = json.loads(tdr("alarms", "--data", tmp_path / "w", "--json").out)["alarms"]
    assert Alarm.from_json(item) == alarm
    assert tdr("acknowledge", "1", "--data", tmp_path / "w").code == 0
    assert tdr("alarms", "--data", tmp_path / "w").code == 0
    assert store.alarms()[0].acknowledged_at is not None
    store.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "A witness needs a node to follow"),
        (("--rpc", "http://127.0.0.1:1", "--node-key", "hello"), "A key is NAME+ID+KEY"),
        (("--rpc", "ftp://a", "--node-key", str(NODE.verifier)), "must be http"),
        (("--rpc", "http://127.0.0.1:1", "--node-key", str(NODE.verifier), "--finality", "soon"), "--finality"),
        (("acknowledge", "1"), "There is no witness in"),
        (("alarms",), "There is no witness in"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    where = ("--data", str(tmp_path / "w"))
    done = tdr(*arguments, *where)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_folder_in_use_or_a_port_that_is_taken_is_an_error_before_anything_is_signed(tmp_path: Path) -> None:
    store = WitnessStore.open(tmp_path / "w")
    done = tdr("--rpc", "http://127.0.0.1:1", "--node-key", str(NODE.verifier), "--data", tmp_path / "w")
    store.close()
    assert done.code == 2
    assert "Another process uses the folder" in done.err
