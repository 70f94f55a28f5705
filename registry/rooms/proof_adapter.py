"""A room's functions for the evidence engine: they prove the state folded from logs by the contract's storage.

The engine takes these functions from `RoomProtocol.proof` and does not know individual rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.base.primitives import Address, Bytes32

Texts = Mapping[str, Mapping[str, Callable[..., str]]]
"""Sentences by language (en, zh) and code; each takes the values of its code as keyword arguments."""


@dataclass(frozen=True, slots=True)
class NotProven:
    """A limit of a verification: something it does not prove, independent of language.

    Args:
        code: The code of its sentence.
        values: The values in the sentence, as JSON values.
    """

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionHashes:
    """The hashes that one version of a subject's content was registered with.

    Args:
        content_root: The root of its manifest.
        metadata_hash: The SHA-256 of its metadata, or zero.
    """

    content_root: Bytes32
    metadata_hash: Bytes32


@dataclass(frozen=True, slots=True)
class RecordPart:
    """The room's part of the record in a bundle.

    Args:
        field: The name of the record's member.
        model: The model of the part.
        make: Return the part of an account (the zero address for the subject itself) with a state; the state is None
            where nothing was logged.
        account: Return the account of a part; None if the record has a single part, of the subject itself.
        note: The description of the room's contract in the format's schema.
    """

    field: str
    model: type[Any]
    make: Callable[[Address, Any], Any]
    account: Callable[[Any], Address] | None = None
    note: str = ""


def _no_limits(_accounts: int, _events: Sequence[tuple[Any, int]]) -> Sequence[NotProven]:
    return ()


@dataclass(frozen=True, slots=True)
class ProofAdapter:
    """The functions that prove a room's state in evidence.

    Args:
        contract: The contract whose logs and storage prove it.
        kind: The kind of its subjects.
        slots: Return the value that each storage slot must have for the state of a subject and an account (the zero
            address for the subject itself); the state is None if nothing was logged.
        difference: Return a sentence that says how a slot differs: the account, the words expected and found. Raise
            VerificationFailed for a word that the contract cannot have written.
        part: The room's part of the record.
        owner: Return the owner of a subject in a state; None for a room without subjects of its own.
        versions: Return the hashes of all versions of a subject's content, ascending; None for a room without versions.
        limits: Return what remains unproven, given the number of accounts shown and each event with its block's time
            (Unix seconds).
        texts: The sentences for the room's codes: one for its step (`head` or `access`), one for each of its limits.
    """

    contract: str
    kind: str
    slots: Callable[[Bytes32, Address, Any], Mapping[Bytes32, Bytes32]]
    difference: Callable[[Address, Bytes32, Bytes32], str]
    part: RecordPart
    owner: Callable[[Any], Address] | None = None
    versions: Callable[[Any], Sequence[VersionHashes]] | None = None
    limits: Callable[[int, Sequence[tuple[Any, int]]], Sequence[NotProven]] = _no_limits
    texts: Texts = field(default_factory=dict)
