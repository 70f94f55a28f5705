"""Encrypt keys with a password and decrypt them: Web3 Secret Storage, version 3, which wallets also read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from registry.base.errors import InvalidInput
from registry.keys.folder import StoredKey
from registry.keys.signer import Signer

SCRYPT_WORK = 2**18
"""The cost of trying one password: about half a second and 256 MiB. It is geth's value."""

MIN_PASSWORD = 8
"""The minimum length of a new key's password (NIST SP 800-63B, 3.1.1.2). Older keys still unlock."""


def encrypt(signer: Signer, password: str, *, work: int = SCRYPT_WORK) -> Mapping[str, Any]:
    """Return the keystore object of a key.

    Args:
        signer: The key.
        password: The password, at least MIN_PASSWORD characters.
        work: Scrypt's N, a power of two. Warning: lower values are for tests only.

    Raises:
        InvalidInput: The password is too short.

    Source: Web3 Secret Storage Definition, version 3.
    """
    if len(password) < MIN_PASSWORD:
        raise InvalidInput(
            f"A key's password needs at least {MIN_PASSWORD} characters; got {len(password)}.",
            hint="Anyone with a copy of the file can try passwords. Choose a longer one, for example several words.",
        )
    keystore: dict[str, Any] = create_keyfile_json(signer.secret(), password.encode(), kdf="scrypt", iterations=work)
    return keystore


def unlock(key: StoredKey, password: str) -> Signer:
    """Decrypt a stored key.

    Args:
        key: The key.
        password: Its password.

    Raises:
        InvalidInput: The password is wrong, the file is not a keystore of version 3, or its key belongs to another
            account than the file states.
    """
    signer = decrypt(key.keystore(), password, shown=f"key file {key.path}", name=f"key {key.name!r}")
    if signer.address != key.address:
        raise InvalidInput(f"The key file {key.path} states {key.address} but contains the key of {signer.address}.")
    return signer


def decrypt(keystore: Mapping[str, Any], password: str, *, shown: str, name: str) -> Signer:
    """Decrypt a keystore object.

    Args:
        keystore: The object.
        password: Its password.
        shown: The file's name in errors.
        name: The key's name in errors.

    Raises:
        InvalidInput: The password is wrong, or the object is not a keystore of version 3.
    """
    if keystore.get("version") != 3:
        raise InvalidInput(f"The {shown} is not a keystore of version 3.")
    try:
        return Signer(decode_keyfile_json(dict(keystore), password.encode()))
    except (ValueError, KeyError, TypeError, NotImplementedError, AttributeError) as error:
        if "MAC mismatch" in str(error):
            raise InvalidInput(f"The password of the {name} is wrong.") from None
        # Not chained: the original error might quote the file's content.
        raise InvalidInput(f"The {shown} is damaged.") from None


def with_address(keystore: Mapping[str, Any], signer: Signer) -> Mapping[str, Any]:
    """Return a keystore object that states its address, which the format leaves optional."""
    return {**keystore, "address": signer.address.hex()}
