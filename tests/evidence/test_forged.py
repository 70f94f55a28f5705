"""Changes that only one check detects, each refused at its step."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from registry.base.canonical import canonical_json
from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.base.subject import Subject
from registry.evidence.record import Scope, history_of
from registry.evidence.steps import StepFailed
from registry.evidence.trust import AgreeingNodes, PinnedBlocks
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note
from registry.rooms.protocols import PROTOCOLS
from tests.evidence.stories import NODE, TIME, Story
from tests.evidence.world import manifest

Document = dict[str, Any]


def foreign_note(document: Document) -> None:
    """A sound checkpoint for a block that the bundle does not show."""
    other = NODE.sign(Checkpoint(document["chainId"], 0, Bytes32(bytes(32))).note(), TIME)
    document["checkpoints"]["notes"].insert(0, str(other))


def other_chain(document: Document) -> None:
    """A sound checkpoint for the right block of another chain."""
    last = Checkpoint.of(Note.parse(document["checkpoints"]["notes"][-1]))
    other = Checkpoint(last.chain_id + 1, last.height, last.block_hash)
    document["checkpoints"] = {"keys": [str(NODE.verifier)], "notes": [str(NODE.sign(other.note(), TIME))]}


def signed_twice(document: Document) -> None:
    """A note with one signature line twice."""
    note = Note.parse(document["checkpoints"]["notes"][0])
    document["checkpoints"]["notes"][0] = str(Note(note.text, (*note.signatures, note.signatures[-1])))


def other_manifest(document: Document) -> None:
    """A sound manifest, but of other files."""
    document["content"] |= {"manifest": json.loads(manifest("other.csv").to_json()), "metadata": None}


def in_upper_case(document: Document) -> None:
    """A message of equal meaning in another form."""
    message = document["messages"][0]["message"]
    message["salt"] = f"0x{message['salt'][2:].upper()}"


@pytest.mark.parametrize(
    ("story", "change", "step"),
    [
        ("checkpoints", lambda d: d["checkpoints"]["keys"].append(d["checkpoints"]["keys"][0]), 3),
        ("checkpoints", foreign_note, 3),
        ("checkpoints", other_chain, 3),
        ("checkpoints", signed_twice, 3),
        ("checkpoints", lambda d: d["checkpoints"]["notes"].append(d["checkpoints"]["notes"][-1]), 3),
        ("granted", lambda d: d["receipts"][-1].update(block=d["receipts"][-1]["block"] + 1), 4),
        ("granted", lambda d: d["receipts"][1].update(block=d["receipts"][0]["block"]), 4),
        ("granted", lambda d: d["record"]["access"].append(d["record"]["access"][0]), 5),
        ("registered", lambda d: d.update(content={"files": [], "manifest": None, "metadata": None, "version": 1}), 11),
        ("withdrawn", lambda d: d["content"].update(version=3), 11),
        ("content", other_manifest, 11),
        ("registered", in_upper_case, 10),
    ],
)
def test_a_change_is_refused_at_its_step(
    stories: dict[str, Story], story: str, change: Callable[[Document], object], step: int
) -> None:
    source = stories[story].bundle
    document = json.loads(source)
    trust = PinnedBlocks(set(blocks_to_vouch_for(source, PROTOCOLS).values()), document["chainId"])
    change(document)
    with pytest.raises(StepFailed) as caught:
        verify(canonical_json(document), trust, PROTOCOLS)
    assert caught.value.number == step


def test_no_nodes_at_all_vouch_for_nothing(stories: dict[str, Story]) -> None:
    with pytest.raises(StepFailed, match="At least one node"):
        verify(stories["registered"].bundle, AgreeingNodes([]), PROTOCOLS)


def test_no_block_hashes_at_all_vouch_for_nothing(stories: dict[str, Story]) -> None:
    with pytest.raises(StepFailed, match="not among those given"):
        verify(stories["registered"].bundle, PinnedBlocks(()), PROTOCOLS)


def test_no_events_are_no_history() -> None:
    with pytest.raises(InvalidInput, match="registration"):
        history_of([], [Scope("datasets", Subject("dataset", Bytes32(bytes(32))))], {}, PROTOCOLS)
