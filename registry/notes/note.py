"""Signed notes: a text followed by Ed25519 signatures.

Source: C2SP signed-note (https://c2sp.org/signed-note), signature type 0x01; C2SP tlog-cosignature
(https://c2sp.org/tlog-cosignature), signature type 0x04, which also states the time of signing.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from hashlib import sha256
from types import ModuleType
from typing import Self

from registry.base.errors import InvalidInput, VerificationFailed

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64

_DASH = "\u2014 "
_NAME = re.compile(r"[^\s+]{1,200}")
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_KEY_ID_BYTES = 4
_TIME_BYTES = 8


class KeyKind(IntEnum):
    """What a key's signatures cover."""

    NOTE = 0x01
    """The note's text."""
    COSIGNATURE = 0x04
    """The note's text and the time of signing; used by witnesses."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name of its owner.

    Args:
        name: The name, without spaces and `+`; a URL without its scheme is recommended.
        kind: What its signatures cover.
        public: 32 bytes, as in RFC 8032.

    Raises:
        InvalidInput: The name or the key is malformed.
    """

    name: str
    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(f"A key's name has 1 to 200 characters without spaces and +; got {self.name!r:.80}.")
        if len(self.public) != _KEY_BYTES:
            raise InvalidInput(f"An Ed25519 key has {_KEY_BYTES} bytes; got {len(self.public)}.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a key of the form ``name+hex(key id)+base64(kind, key)``.

        Args:
            text: The key in that form.

        Raises:
            InvalidInput: The text has another form, or the key id does not belong to the key.
        """
        parts = text.split("+", 2)
        raw = _from_base64(parts[2]) if len(parts) == 3 else b""
        if len(raw) != 1 + _KEY_BYTES or raw[0] not in tuple(KeyKind):
            raise InvalidInput(
                f"A key is NAME+ID+KEY, with an id of 8 hex digits and an Ed25519 key in base64; got {text!r:.120}."
            )
        key = cls(parts[0], KeyKind(raw[0]), raw[1:])
        if str(key) != text:
            raise InvalidInput(f"The key {text!r:.120} is not in canonical form; expected {str(key)!r}.")
        return key

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that identify the key in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_to_base64(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line.

    Args:
        name: The name of the key.
        key_id: The key's id, 4 bytes.
        signature: 64 bytes; for a cosignature, 8 bytes of time before them.
    """

    name: str
    key_id: bytes
    signature: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Return whether the line claims to be by this key. It does not verify the signature."""
        return (self.name, self.key_id) == (key.name, key.key_id)

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_to_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures.

    Args:
        text: One or more lines, each ending in a newline.
        signatures: The signature lines, in order.
    """

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, source: str) -> Self:
        """Parse a signed note. The result proves nothing until a signature by a trusted key is verified.

        Args:
            source: The note.

        Raises:
            InvalidInput: The text is not a signed note.
        """
        if len(source) > MAX_NOTE_BYTES or re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", source):
            raise InvalidInput(f"A signed note has at most {MAX_NOTE_BYTES} characters and no control characters.")
        text, gap, lines = source.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise InvalidInput("A signed note is a text, an empty line and signature lines.")
        rows = lines[:-1].split("\n")
        if len(rows) > MAX_SIGNATURES:
            raise InvalidInput(f"A signed note has at most {MAX_SIGNATURES} signatures; got {len(rows)}.")
        return cls(f"{text}\n", tuple(_signature(row) for row in rows))

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(str(signature) for signature in self.signatures)}"

    def verify(self, key: VerifierKey) -> int | None:
        """Verify that the owner of a key signed this text.

        Args:
            key: The public key.

        Returns:
            The time of signing (Unix seconds, UTC) for a cosignature, else None.

        Raises:
            VerificationFailed: There is no signature by that key, or it is not valid.
        """
        line = next((line for line in self.signatures if line.is_by(key)), None)
        if line is None:
            raise VerificationFailed(f"The note is not signed by {key.name} ({key.key_id.hex()}).")
        time = None
        signature = line.signature
        if key.kind is KeyKind.COSIGNATURE:
            time, signature = int.from_bytes(signature[:_TIME_BYTES], "big"), signature[_TIME_BYTES:]
        if not _ed25519().is_valid(key.public, _signed(self.text, time), signature):
            raise VerificationFailed(f"The signature of {key.name} below the note is not valid.")
        return time


class SigningKey:
    """A private key. It is never printed.

    Args:
        name: The owner's name.
        kind: What its signatures cover.
        seed: 32 secret bytes.
    """

    def __init__(self, name: str, kind: KeyKind, seed: bytes) -> None:
        self._seed = seed
        self.verifier = VerifierKey(name, kind, _ed25519().public_key(seed))

    def sign(self, note: Note, time: int) -> Note:
        """Return the note with this key's signature appended.

        Args:
            note: The note; an earlier signature by this key is removed.
            time: Unix seconds, UTC; only a cosignature states it.
        """
        key = self.verifier
        stated = time if key.kind is KeyKind.COSIGNATURE else None
        signature = _ed25519().sign(self._seed, _signed(note.text, stated))
        prefix = b"" if stated is None else stated.to_bytes(_TIME_BYTES, "big")
        others = tuple(line for line in note.signatures if not line.is_by(key))
        return Note(note.text, (*others, Signature(key.name, key.key_id, prefix + signature)))

    def sign_bytes(self, message: bytes) -> bytes:
        """Return the bare signature (64 bytes) over bytes that cannot be a note's text, as in credentials."""
        signature: bytes = _ed25519().sign(self._seed, message)
        return signature


@cache
def _ed25519() -> ModuleType:
    """Return the Ed25519 module, loaded at first use: loading takes longer than verifying a bundle, and most bundles
    have no notes.
    """
    return importlib.import_module("registry.notes.ed25519")


def _signed(text: str, time: int | None) -> bytes:
    """Return the bytes that a signature covers."""
    return text.encode() if time is None else f"cosignature/v1\ntime {time}\n{text}".encode()


def _signature(row: str) -> Signature:
    name, _, encoded = row.removeprefix(_DASH).partition(" ")
    if not row.startswith(_DASH) or not _NAME.fullmatch(name):
        raise InvalidInput(f"A signature line is a dash, a name and base64; got {row!r:.80}.")
    raw = _from_base64(encoded)
    if len(raw) <= _KEY_ID_BYTES:
        raise InvalidInput(f"The signature of {name} is cut short.")
    return Signature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _from_base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw or _to_base64(raw) != text:
        raise InvalidInput(f"Not canonical base64: {text!r:.80}.")
    return raw
