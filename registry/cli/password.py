"""Get the password of a key: from a file, the environment, or a prompt."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from registry.base.errors import InvalidInput
from registry.cli.output import plain
from registry.keys.folder import StoredKey

PASSWORD_VARIABLE = "TDR_KEY_PASSWORD"  # noqa: S105  The variable's name, not a password.


def password_of(key: StoredKey, password_file: Path | None) -> str:
    """Return the password of a key: from a file, the environment, or a prompt.

    Raises:
        InvalidInput: The file cannot be read, or no password is given and there is no terminal.
    """
    known = given_password(password_file)
    if known is not None:
        return known
    answer: str = typer.prompt(f"Password of the key {plain(key.name)}", hide_input=True, err=True)
    return answer


def given_password(password_file: Path | None) -> str | None:
    """Return the password from a file or the environment; None if it must be asked for.

    Raises:
        InvalidInput: The file cannot be read, or no password is given and there is no terminal.
    """
    if password_file is not None:
        try:
            return password_file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"The password file {str(password_file)!r} cannot be read: {error}.") from error
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if not sys.stdin.isatty():
        raise InvalidInput(
            "A password is needed, and there is no terminal to ask for it.",
            hint=f"Give it with --password-file or {PASSWORD_VARIABLE}.",
        )
    return None
