"""Decide what a witness does about a note: a pure function of its state.

The rules, in order:

1. The note must be signed by a node that the witness knows, and be about the chain that it follows.
2. A note about another block than the one cosigned or followed at that height is an alarm, at any height.
3. No note below the newest cosigned height is cosigned.
4. Only blocks that the witness followed itself, by parent hashes, are cosigned.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from registry.base.errors import VerificationFailed
from registry.base.primitives import Bytes32
from registry.notes.alarm import Alarm, AlarmKind
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note, VerifierKey


@dataclass(frozen=True, slots=True)
class State:
    """The state that a witness has committed to.

    Args:
        chain_id: The chain that it follows.
        tip: The last block that it followed. It is linked by parent hashes to the first one.
        signed: The newest checkpoint that it cosigned, or None.
        signed_at: The time in its latest cosignature, Unix seconds; 0 before the first.
        is_forked: Whether its own node has left the branch that it follows.
    """

    chain_id: int
    tip: Checkpoint
    signed: Checkpoint | None
    signed_at: int
    is_forked: bool


@dataclass(frozen=True, slots=True)
class View:
    """The knowledge of a witness about one height.

    Args:
        block_hash: The block that it followed at that height; None if the height is above its tip or below its first
            stored block.
        note: The note that it cosigned at that height, or None.
    """

    block_hash: Bytes32 | None
    note: Note | None


class Reason(StrEnum):
    """The reasons for not cosigning a note."""

    UNKNOWN_NODE = "unknown-node"
    OTHER_CHAIN = "other-chain"
    SMALLER = "smaller-height"
    AHEAD = "ahead"
    FORKED = "forked"
    NOT_FOLLOWED = "not-followed"


@dataclass(frozen=True, slots=True)
class Cosign:
    """The decision to cosign a note.

    Args:
        checkpoint: The checkpoint that the note states.
        time: The time for the cosignature, Unix seconds; never before that of an earlier cosignature.
    """

    checkpoint: Checkpoint
    time: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """The decision not to cosign a note, without an alarm.

    Args:
        reason: The reason.
        detail: The reason as a sentence.
    """

    reason: Reason
    detail: str


Decision = Cosign | Refuse | Alarm


def decide(state: State, note: Note, view: View, *, nodes: Collection[VerifierKey], now: int) -> Decision:
    """Decide whether to cosign a note.

    Args:
        state: The state that the witness has committed to.
        note: The note.
        view: The knowledge of the witness about the note's height.
        nodes: The keys of the nodes whose notes it considers.
        now: Unix seconds, UTC.

    Raises:
        InvalidInput: The note is not a checkpoint.
    """
    checkpoint = Checkpoint.of(note)
    height = checkpoint.height
    if not any(_is_signed(note, key) for key in nodes):
        return Refuse(Reason.UNKNOWN_NODE, "The note has no valid signature of a node that this witness knows.")
    if checkpoint.chain_id != state.chain_id:
        return Refuse(Reason.OTHER_CHAIN, f"This witness follows chain {state.chain_id}, not {checkpoint.chain_id}.")
    if view.note is not None and Checkpoint.of(view.note) != checkpoint:
        return Alarm(AlarmKind.TWO_NOTES, view.note, note)
    if view.block_hash is not None and view.block_hash != checkpoint.block_hash:
        return Alarm(AlarmKind.OTHER_BLOCK, Checkpoint(state.chain_id, height, view.block_hash).note(), note)
    if state.signed is not None and height < state.signed.height:
        return Refuse(Reason.SMALLER, f"This witness has cosigned height {state.signed.height} already.")
    if view.block_hash is not None:
        return Cosign(checkpoint, max(now, state.signed_at))
    if height <= state.tip.height:
        return Refuse(Reason.NOT_FOLLOWED, f"This witness did not follow the chain at height {height}.")
    if state.is_forked:
        return Refuse(Reason.FORKED, f"This witness's own node has left the branch with block {state.tip.height}.")
    return Refuse(Reason.AHEAD, f"At this witness's own node block {state.tip.height} is final, but not {height}.")


def _is_signed(note: Note, key: VerifierKey) -> bool:
    try:
        note.verify(key)
    except VerificationFailed:
        return False
    return True
