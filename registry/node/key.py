"""The relayer's key: the only secret of a node. Owners' keys never reach it."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from registry.base.errors import Conflict, InvalidInput
from registry.base.primitives import Address
from registry.keys.folder import StoredKey
from registry.keys.keystore import unlock
from registry.relay.signing import Signer

PRIVATE_MODE = 0o600


def load_relayer(path: Path, password_file: Path | None) -> Signer:
    """Load the key.

    Args:
        path: A file with the key in hex, or a keystore (V3).
        password_file: A file with the keystore's password in its first line; None: the key is not encrypted.

    Raises:
        InvalidInput: The file cannot be read, is readable by others, or does not contain a key. The message never
            quotes its content.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidInput(
                f"The relayer's key {path} is readable by users other than its owner.", hint=f"Run: chmod 600 {path}"
            )
        text = path.read_text().strip()
        password = password_file.read_text().partition("\n")[0] if password_file else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInput(f"The relayer's key {path} cannot be read: {reason}.") from None
    if text.startswith("{"):
        if password is None:
            raise InvalidInput(
                f"The relayer's key {path} is encrypted.", hint="Set relayer_password_file to a file with its password."
            )
        return Signer(unlock(_stored(path, text), password).secret())
    try:
        return Signer(bytes.fromhex(text.removeprefix("0x")))
    except ValueError:
        raise InvalidInput(f"The relayer's key {path} is not 64 hex digits.") from None


def _stored(path: Path, text: str) -> StoredKey:
    try:
        return StoredKey(path.stem, Address.parse(f"0x{json.loads(text)['address'].removeprefix('0x')}"), path)
    except (ValueError, KeyError, AttributeError):
        raise InvalidInput(f"The relayer's key {path} is not a keystore.") from None


def create_relayer(path: Path) -> Signer:
    """Create a key and write it, readable by its owner only. The file is complete on disk before it is visible.

    Args:
        path: The file.

    Raises:
        Conflict: There is already a key.
        InvalidInput: The file cannot be written.
    """
    while True:
        secret = secrets.token_bytes(32)
        try:
            signer = Signer(secret)
            break
        except InvalidInput:  # One in 2**128 is out of range.
            continue
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
        with os.fdopen(file, "w") as stream:
            stream.write(f"0x{secret.hex()}\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)  # Unlike a rename, this never replaces a key.
        finally:
            draft.unlink()
    except FileExistsError:
        raise Conflict(f"A relayer's key already exists at {path}.") from None
    except OSError as error:
        raise InvalidInput(f"The relayer's key cannot be written to {path}: {error.strerror}.") from error
    return signer
