"""The options that several commands have, each said once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from registry.base.errors import InvalidInput

GATEWAY_URL = "http://127.0.0.1:8000"
KEY_FOLDER = Path("~/.tdr/keys")
DEADLINE = "1h"


def to_path(text: str | Path) -> Path:
    """The path of a file or folder, as a parser of arguments and options.

    Raises:
        InvalidInput: It is empty, which Python would take for the current folder: a shell's variable that is not set.
    """
    if not str(text):
        raise InvalidInput(
            "A file or folder is named by a path, but an empty one was given.",
            hint="Is a variable of the shell not set? The current folder is named by a dot.",
        )
    return Path(text)


class Wait(StrEnum):
    """Until when a command waits for its write."""

    MINED = "mined"
    FINAL = "final"


GatewayUrl = Annotated[str, typer.Option("--gateway", envvar="TDR_GATEWAY", metavar="URL", help="The gateway to ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
KeyName = Annotated[
    str | None, typer.Option("--key", metavar="NAME", help="The key to sign with; not needed where there is only one.")
]
Keys = Annotated[
    Path, typer.Option("--keys", parser=to_path, envvar="TDR_KEYS", metavar="FOLDER", help="The folder of keys.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        parser=to_path,
        metavar="FILE",
        help="Holds the key's password. Else TDR_KEY_PASSWORD, else a prompt.",
    ),
]
Deadline = Annotated[
    str, typer.Option("--deadline", metavar="TIME", help="Until when the signature is good: a time, or a duration.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be signed, or why it would be refused; nothing is signed or sent."),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the chain; print the receipt.")]
WaitUntil = Annotated[Wait, typer.Option("--wait", help="What to wait for.")]
DatasetArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The dataset's id, or at least its first 8 hex digits.")
]
VersionedArgument = Annotated[
    str,
    typer.Argument(metavar="ID[@VERSION]", help="The dataset's id or its beginning; and a version, else the latest."),
]
AddressArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="An address, or the name of a key or contact.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Leave out what matches, as in .gitignore; beside the folder's .tdrignore. May be repeated.",
    ),
]
LinkRule = Annotated[
    str,
    typer.Option(
        "--links", metavar="RULE", help="Symbolic links: refuse, skip, or follow-inside (to files of the folder)."
    ),
]
REFUSE_LINKS = "refuse"
BlockHashes = Annotated[
    list[str] | None,
    typer.Option("--block-hash", metavar="HASH", help="With --bundle: a block's hash known from elsewhere."),
]
TrustFile = Annotated[
    Path | None,
    typer.Option(
        "--trust", parser=to_path, metavar="FILE", help="With --bundle: the keys of a node and of witnesses, N of M."
    ),
]
ChainId = Annotated[
    int | None, typer.Option("--chain-id", help="With --block-hash: the id of the chain that it is from.")
]
