"""The options that several commands share."""

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
    """Parse the path of a file or folder in an argument or option.

    Raises:
        InvalidInput: It is empty, for example from an unset shell variable. Python would read it as the current folder.
    """
    if not str(text):
        raise InvalidInput(
            "The path of a file or folder is empty.",
            hint="Check for an unset shell variable. For the current folder, use a dot.",
        )
    return Path(text)


class Wait(StrEnum):
    """The status that a command waits for after its write."""

    MINED = "mined"
    FINAL = "final"


def waiting(no_wait: bool, until: Wait) -> Wait | None:
    """Return the status to wait for, from `--no-wait` and `--wait`; None means not to wait."""
    return None if no_wait else until


GatewayUrl = Annotated[
    str, typer.Option("--gateway", envvar="TDR_GATEWAY", metavar="URL", help="The gateway's address.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
KeyName = Annotated[
    str | None, typer.Option("--key", metavar="NAME", help="The key to sign with; not needed if there is only one.")
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
        help="A file with the key's password.  [default: TDR_KEY_PASSWORD, or a prompt]",
    ),
]
Deadline = Annotated[
    str, typer.Option("--deadline", metavar="TIME", help="The end of the signature's validity: a time or a duration.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be signed, or why it would be refused. Sign and send nothing."),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the chain; print the receipt.")]
WaitUntil = Annotated[Wait, typer.Option("--wait", help="What to wait for.")]
AddressArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="An address, or the name of a key or contact.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Leave out matching files, as in .gitignore, in addition to the folder's .tdrignore; repeatable.",
    ),
]
LinkRule = Annotated[
    str,
    typer.Option(
        "--links", metavar="RULE", help="Symbolic links: refuse, skip, or follow-inside (only to files in the folder)."
    ),
]
REFUSE_LINKS = "refuse"
BlockHashes = Annotated[
    list[str] | None,
    typer.Option(
        "--block-hash", metavar="HASH", help="With --bundle: the hash of a block, from a source that you trust."
    ),
]
TrustFile = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        parser=to_path,
        metavar="FILE",
        help="With --bundle: the trusted keys of a node and of witnesses, N of M.",
    ),
]
Contracts = Annotated[
    list[str] | None,
    typer.Option(
        "--contract",
        envvar="TDR_CONTRACTS",
        metavar="NAME=ADDRESS",
        help="A contract's address that you know; repeatable.  [default: the gateway's or the bundle's]",
    ),
]
ChainId = Annotated[int | None, typer.Option("--chain-id", help="With --block-hash: the id of the block's chain.")]
