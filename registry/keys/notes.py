"""The key of a node or a witness that signs notes: one file, readable by its owner only.

Source: the private key format of golang.org/x/mod/sumdb/note, so that other tools for signed notes can read it.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.notes.note import KeyKind, SigningKey

_PREFIX = "PRIVATE+KEY"
_SEED_BYTES = 32


def load_note_key(path: Path) -> SigningKey:
    """Load a key.

    Args:
        path: The file.

    Raises:
        NotFound: There is no such file.
        InvalidInput: The file cannot be read, is readable by others, or does not contain a key. The message never
            quotes its content.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidInput(
                f"The key {path} is readable by users other than its owner.", hint=f"Run: chmod 600 {path}"
            )
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        raise NotFound(f"There is no key at {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInput(f"The key {path} cannot be read: {reason}.") from None
    key = _parse(text)
    if key is None:
        raise InvalidInput(f"The file {path} does not contain a key for notes.", hint="Restore it from a backup.")
    return key


def create_note_key(path: Path, kind: KeyKind, name: str) -> SigningKey:
    """Create a key and write it. The file is complete on disk before it is visible.

    Args:
        path: The file; its folder exists.
        kind: What the key's signatures cover.
        name: The owner's name; if it ends in a dash, eight hex digits of the public key are appended.

    Raises:
        Conflict: There is already a key.
        InvalidInput: The name is not allowed for a key, or the file cannot be written.
    """
    seed = secrets.token_bytes(_SEED_BYTES)
    key = SigningKey(name, kind, seed)
    if name.endswith("-"):
        key = SigningKey(f"{name}{key.verifier.public[:4].hex()}", kind, seed)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "w") as stream:
            stream.write(f"{_written(key, seed)}\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)  # Unlike a rename, this never replaces a key.
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        raise Conflict(f"A key already exists at {path}.") from None
    except OSError as error:
        raise InvalidInput(f"The key cannot be written to {path}: {error.strerror}.") from error
    return key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(key: SigningKey, seed: bytes) -> str:
    verifier = key.verifier
    encoded = base64.b64encode(bytes([verifier.kind]) + seed).decode()
    return f"{_PREFIX}+{verifier.name}+{verifier.key_id.hex()}+{encoded}"


def _parse(text: str) -> SigningKey | None:
    parts = text.removeprefix(f"{_PREFIX}+").split("+", 2)
    if not text.startswith(_PREFIX) or len(parts) != 3:
        return None
    try:
        raw = base64.b64decode(parts[2], validate=True)
        key = SigningKey(parts[0], KeyKind(raw[0]), raw[1:])
    except (binascii.Error, ValueError, IndexError, InvalidInput):
        return None
    return key if _written(key, raw[1:]) == text else None
