"""What a witness does about a note: a pure decision over what it knows.

The rules, in their order:

1. The note must be signed by a node that the witness knows, and be of the chain that it follows.
2. A note for another block than the one noted or followed at that height is an alarm, at whatever height.
3. Nothing below the newest height that it cosigned is cosigned.
4. Nothing is cosigned but a block that the witness itself followed, by parent hashes.
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
    """What a witness has committed itself to.

    Args:
        chain_id: The chain that it follows.
        tip: The last block that it followed; every block before it up to its first follows by parent hash.
        signed: The newest checkpoint that it cosigned, or None.
        signed_at: The time stated in its latest cosignature, Unix seconds; 0 before the first.
        is_forked: Whether its own node has left the branch that it follows.
    """

    chain_id: int
    tip: Checkpoint
    signed: Checkpoint | None
    signed_at: int
    is_forked: bool


@dataclass(frozen=True, slots=True)
class View:
    """What a witness knows of one height.

    Args:
        block_hash: The block that it followed there, or None: it is ahead of it, or was before its time.
        note: The note that it cosigned there, or None.
    """

    block_hash: Bytes32 | None
    note: Note | None


class Reason(StrEnum):
    """Why a note is not cosigned."""

    UNKNOWN_NODE = "unknown-node"
    OTHER_CHAIN = "other-chain"
    SMALLER = "smaller-height"
    AHEAD = "ahead"
    FORKED = "forked"
    NOT_FOLLOWED = "not-followed"


@dataclass(frozen=True, slots=True)
class Cosign:
    """The note is to be cosigned.

    Args:
        checkpoint: What it states.
        time: The time to state, Unix seconds; never before that of an earlier cosignature.
    """

    checkpoint: Checkpoint
    time: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """The note is not cosigned, and nobody need be alarmed.

    Args:
        reason: Why.
        detail: Why, as a sentence.
    """

    reason: Reason
    detail: str


Decision = Cosign | Refuse | Alarm


def decide(state: State, note: Note, view: View, *, nodes: Collection[VerifierKey], now: int) -> Decision:
    """What to do about a note.

    Args:
        state: What the witness has committed itself to.
        note: The note.
        view: What the witness knows of the note's height.
        nodes: The keys of the nodes whose notes it considers.
        now: Unix seconds, UTC.

    Raises:
        InvalidInput: The note states no checkpoint.
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
        return Refuse(Reason.FORKED, f"The own node of this witness has left the branch with block {state.tip.height}.")
    return Refuse(Reason.AHEAD, f"The own node of this witness has block {state.tip.height} as final, not {height}.")


def _is_signed(note: Note, key: VerifierKey) -> bool:
    try:
        note.verify(key)
    except VerificationFailed:
        return False
    return True
