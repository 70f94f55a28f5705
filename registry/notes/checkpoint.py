"""Checkpoints: notes that state the block at a height of a chain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.notes.note import Note

FORMAT = "tdr-checkpoint/1"
MAX_HEIGHT = 10**15 - 1

_NUMBER = r"(0|[1-9][0-9]{0,14})"
_TEXT = re.compile(rf"{FORMAT}\nchain {_NUMBER}\nheight {_NUMBER}\nblock (0x[0-9a-f]{{64}})\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The statement that a block is at a height of a chain.

    Args:
        chain_id: The chain's id.
        height: The block's number.
        block_hash: The block's hash.
    """

    chain_id: int
    height: int
    block_hash: Bytes32

    @classmethod
    def of(cls, note: Note) -> Self:
        """Return the checkpoint that a note states.

        Raises:
            InvalidInput: The note does not state a checkpoint.
        """
        match = _TEXT.fullmatch(note.text)
        if match is None:
            raise InvalidInput(f"The note is not a checkpoint of the form {FORMAT}: {note.text!r:.120}.")
        return cls(int(match[1]), int(match[2]), Bytes32.parse(match[3]))

    def note(self) -> Note:
        """Return the unsigned note."""
        text = f"{FORMAT}\nchain {self.chain_id}\nheight {self.height}\nblock {self.block_hash}\n"
        return Note(text, ())
