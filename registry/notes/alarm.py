"""Alarms: two statements about one height of a chain that cannot both be true, kept together as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from registry.base.errors import InvalidInput
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note


class AlarmKind(StrEnum):
    """What contradicts what."""

    TWO_NOTES = "two-notes"
    """A node signed two blocks for one height."""
    OTHER_BLOCK = "other-block"
    """A node signed another block than the one that the witness followed."""
    FORK = "fork"
    """The chain left a final block that the one who raises the alarm stood on."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Two statements that cannot both be true of one chain.

    Args:
        kind: What contradicts what.
        ours: The note that was signed before; or, without signatures, what was followed.
        theirs: The note against it; or, without signatures, what the own node now says.

    Raises:
        InvalidInput: They do not contradict each other.
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
        """Reads what `to_json` wrote.

        Raises:
            InvalidInput: It is not that.
        """
        if not isinstance(document, Mapping):
            raise InvalidInput("An alarm is a JSON object.")
        kind, ours, theirs = (document.get(name) for name in ("kind", "ours", "theirs"))
        if kind not in tuple(AlarmKind) or not isinstance(ours, str) or not isinstance(theirs, str):
            raise InvalidInput("An alarm has a kind, and two notes: ours and theirs.")
        return cls(AlarmKind(kind), read_statement(ours), read_statement(theirs))

    def to_json(self) -> dict[str, object]:
        """As it is told to others."""
        return {"kind": self.kind.value, "height": self.height, "ours": str(self.ours), "theirs": str(self.theirs)}

    @property
    def height(self) -> int:
        """The height that they differ at."""
        return Checkpoint.of(self.theirs).height

    def __str__(self) -> str:
        ours, theirs = Checkpoint.of(self.ours), Checkpoint.of(self.theirs)
        return f"{self.kind} at height {theirs.height}: {ours.block_hash} before, {theirs.block_hash} now"


def read_statement(source: str) -> Note:
    """A note, or a note's text that nobody signed: what somebody followed.

    Raises:
        InvalidInput: It is neither.
    """
    return Note(source[:-1], ()) if source.endswith("\n\n") else Note.parse(source)
