"""Read imported private keys, and write exported ones to files that only their owner can read."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typer

from registry.base.canonical import read_json
from registry.base.errors import InvalidInput
from registry.cli.password import given_password
from registry.keys.keystore import decrypt, encrypt, with_address
from registry.keys.signer import Signer

STANDARD_INPUT: Final = Path("-")
MAX_BYTES: Final = 2**16
_PRIVATE_KEY: Final = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{64})\s*")


def read_secret(file: Path | None) -> str:
    """Return the text of a file, of standard input (-), or of a prompt: a private key in hex, or a keystore.

    Args:
        file: The file; None for a prompt.

    Raises:
        InvalidInput: The file cannot be read, or there is no terminal for the prompt.
    """
    if file is None:
        if not sys.stdin.isatty():
            raise InvalidInput(
                "There is no terminal to ask for the private key.", hint="Give a file, or - for standard input."
            )
        answer: str = typer.prompt("Private key (64 hex digits)", hide_input=True, err=True)
        return answer
    try:
        if file == STANDARD_INPUT:
            content = sys.stdin.buffer.read(MAX_BYTES)
        else:
            with file.open("rb") as opened:
                content = opened.read(MAX_BYTES)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise InvalidInput(f"{str(file)!r} is neither a private key in hex nor a keystore.") from None


def keystore_of(secret: str, password_file: Path | None) -> Mapping[str, Any]:
    """Return the keystore object for an imported secret. A keystore is unchanged; its password must open it.

    Args:
        secret: A private key in hex, or a keystore.
        password_file: The file with the password; None for TDR_KEY_PASSWORD or a prompt.

    Raises:
        InvalidInput: It is neither a private key nor a keystore, or the password is wrong or too short. The message
            does not contain the secret.
    """
    if match := _PRIVATE_KEY.fullmatch(secret):
        signer = Signer(bytes.fromhex(match[1]))
        return encrypt(signer, _password(password_file, "Password for the imported key", confirm=True))
    try:
        document = read_json(secret)
    except InvalidInput:
        document = None
    if not isinstance(document, dict):
        raise InvalidInput("Expected a private key of 64 hex digits, or a keystore (Web3 Secret Storage, version 3).")
    password = _password(password_file, "Password of the keystore", confirm=False)
    return with_address(document, decrypt(document, password, shown="keystore", name="keystore"))


def write_secret(content: str, file: Path) -> None:
    """Write a new file that only its owner can read.

    Raises:
        InvalidInput: It already exists, or cannot be written.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
    except FileExistsError:
        raise InvalidInput(
            f"{str(file)!r} already exists.", hint="Give a new file; keys do not replace files."
        ) from None
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be written: {error.strerror}.") from error


def _password(password_file: Path | None, prompt: str, *, confirm: bool) -> str:
    known = given_password(password_file)
    if known is not None:
        return known
    answer: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer
