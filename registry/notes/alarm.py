"""Alarms: two contradictory statements about one height of a chain, kept together as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from registry.base.errors import InvalidInput
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note


class AlarmKind(StrEnum):
    """The kind of contradiction."""

    TWO_NOTES = "two-notes"
    """A node signed two blocks for one height."""
    OTHER_BLOCK = "other-block"
    """A node signed a different block from the one that the witness followed."""
    FORK = "fork"
    """The chain dropped a block that was final for the sender of the alarm."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Two statements about one chain that cannot both be true.

    Args:
        kind: The kind of contradiction.
        ours: The note that was signed first; without signatures, the checkpoint that was followed.
        theirs: The note that contradicts it; without signatures, what the local node now reports.

    Raises:
        InvalidInput: The statements do not contradict each other.
    """

    kind: AlarmKind
    ours: Note
    theirs: Note

    def __post_init__(self) -> None:
        ours, theirs = Checkpoint.of(self.ours), Checkpoint.of(self.theirs)
        if (ours.chain_id, ours.height) != (theirs.chain_id, theirs.height) or ours.block_hash == theirs.block_hash:
            raise InvalidInput("An alarm shows two blocks for one height of one chain.")

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read the JSON object that `to_json` returns.

        Args:
            document: The object.

        Raises:
            InvalidInput: The object is not an alarm.
        """
        if not isinstance(document, Mapping):
            raise InvalidInput("An alarm is a JSON object.")
        kind, ours, theirs = (document.get(name) for name in ("kind", "ours", "theirs"))
        if kind not in tuple(AlarmKind) or not isinstance(ours, str) or not isinstance(theirs, str):
            raise InvalidInput("An alarm has a kind, and two notes: ours and theirs.")
        return cls(AlarmKind(kind), read_statement(ours), read_statement(theirs))

    def to_json(self) -> dict[str, object]:
        """Return the JSON object that is sent to others."""
        return {"kind": self.kind.value, "height": self.height, "ours": str(self.ours), "theirs": str(self.theirs)}

    @property
    def height(self) -> int:
        """Return the height at which the statements differ."""
        return Checkpoint.of(self.theirs).height

    def __str__(self) -> str:
        ours, theirs = Checkpoint.of(self.ours), Checkpoint.of(self.theirs)
        return f"{self.kind} at height {theirs.height}: {ours.block_hash} before, {theirs.block_hash} now"


def read_statement(source: str) -> Note:
    """Return a note, or an unsigned note: a checkpoint that was followed without being signed.

    Args:
        source: The text of the note.

    Raises:
        InvalidInput: The text is neither.
    """
    return Note(source[:-1], ()) if source.endswith("\n\n") else Note.parse(source)
