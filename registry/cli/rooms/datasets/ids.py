"""Dataset ids on the command line, in full or as a prefix, with or without a version."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from registry.base.errors import InvalidInput

MAX_VERSION: Final = 2**24 - 1
DatasetArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The dataset's id, or at least its first 8 hex digits.")
]
VersionedArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID[@VERSION]", help="The dataset's id or a prefix of it, and a version.  [default: the latest version]"
    ),
]

_ID: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{8,64})")


def id_text(text: str) -> str:
    """Return a dataset id, or a prefix of one, in the form that the gateway accepts.

    Raises:
        InvalidInput: It is neither, or it names a version.
    """
    match = _ID.fullmatch(text)
    if match is not None:
        return f"0x{match[1].lower()}"
    if _ID.fullmatch(text.partition("@")[0]):
        raise InvalidInput(
            f"{text[:80]!r} names a version, but this command is about a whole dataset.", hint="Leave out the @ part."
        )
    raise InvalidInput(f"Not a dataset id: expected 64 hex digits or a prefix of at least 8; got {text[:80]!r}.")


def id_and_version(text: str, version: int | None = None) -> tuple[str, int | None]:
    """Return a dataset id or a prefix of one, and the number of a version, if given.

    Args:
        text: ID, or ID@VERSION.
        version: The version given by an option, or None.

    Raises:
        InvalidInput: The text has another form, or the two versions differ.
    """
    prefix, at, number = text.partition("@")
    if not at:
        return id_text(text), version
    if not (number.isascii() and number.isdigit() and len(number) <= 8 and 1 <= int(number) <= MAX_VERSION):
        raise InvalidInput(f"After @ give a version number (1 or higher); got {number[:40]!r}.")
    if version not in (None, int(number)):
        raise InvalidInput(f"{text[:80]!r} names version {int(number)}, but --version {version} is given.")
    return id_text(prefix), int(number)
