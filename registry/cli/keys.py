"""`tdr keys`: the keys that sign, encrypted in a folder of their owner."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput
from registry.cli import confirm, options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    import json

    from registry.cli import key_files, output
    from registry.cli import password as passwords
    from registry.keys import folder, keystore, signer
else:
    json, key_files = lazy("json"), lazy("registry.cli.key_files")
    output, passwords = lazy("registry.cli.output"), lazy("registry.cli.password")
    folder, keystore, signer = (lazy(f"registry.keys.{name}") for name in ("folder", "keystore", "signer"))

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, help="Create, list, import and export your signing keys."
)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it.")] = "default",
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Create a new key: an account of your own, encrypted with a password.

    Anyone with the file and the password can act as you. If either is lost, the key is lost: keep a copy of both.

    \b
    Examples:
      tdr keys new alice
      tdr keys new alice --password-file alice.password
    """
    store = folder.KeyFolder(keys.expanduser())
    store.refuse_taken(name)
    password = passwords.given_password(password_file)
    if password is None:
        password = typer.prompt("Password for the new key", hide_input=True, confirmation_prompt=True, err=True)
    key = store.add(name, keystore.encrypt(signer.Signer.random(), password))
    _print([key], as_json=as_json, single=True)


@app.command("import")
def import_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it.")],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            parser=options.to_path,
            metavar="FILE",
            help="A file with the private key in hex or a keystore (V3); - for standard input.  [default: a prompt]",
        ),
    ] = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Import a private key in hex, or a wallet's keystore (Web3 Secret Storage, version 3).

    A private key is encrypted with a new password. A keystore is stored unchanged, after a check of its password.
    The key is never an argument, because other users of the machine can read arguments.

    \b
    Examples:
      tdr keys import alice
      tdr keys import alice --file wallet.json --password-file wallet.password
    """
    store = folder.KeyFolder(keys.expanduser())
    store.refuse_taken(name)
    added = store.add(name, key_files.keystore_of(key_files.read_secret(file), password_file))
    _print([added], as_json=as_json, single=True)


@app.command("export")
def export_key(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The key's name; not needed if there is only one key.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            parser=options.to_path,
            metavar="FILE",
            help="The new file to write.  [default: standard output]",
        ),
    ] = None,
    unprotected: Annotated[
        bool,
        typer.Option(
            "--unprotected-private-key",
            help="Write the private key itself in hex. Warning: anyone who sees it can always act as you.",
        ),
    ] = False,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Export a key as a keystore for wallets, encrypted with its password.

    \b
    Examples:
      tdr keys export alice -o alice.keystore.json
      tdr keys export alice --unprotected-private-key -o alice.key
    """
    key = folder.KeyFolder(keys.expanduser()).key(name)
    secret = _unprotected(key, out, password_file) if unprotected else json.dumps(key.keystore()) + "\n"
    if out is None:
        sys.stdout.write(secret)
        return
    key_files.write_secret(secret, out)
    document = {"name": key.name, "address": str(key.address), "file": str(out)}
    if as_json:
        output.print_json(document)
    else:
        output.print_fields(document)


def _unprotected(key: folder.StoredKey, out: Path | None, password_file: Path | None) -> str:
    """Return the private key in hex, for a file or, after confirmation, for a terminal.

    Raises:
        InvalidInput: There is neither a file nor a terminal to write to.
    """
    if out is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty() and sys.stdout.isatty()):
            raise InvalidInput(
                "An unprotected private key is only written to a file or shown at a terminal.",
                hint="Give a new file: -o FILE.",
            )
        confirm.ask(
            (f"Key {key.name}, {key.address}", "Anyone who sees its private key can always act as you."),
            "Show it on this screen?",
        )
    return f"0x{keystore.unlock(key, passwords.password_of(key, password_file)).secret().hex()}\n"


@app.command("list")
def list_keys(keys: options.Keys = options.KEY_FOLDER, as_json: options.AsJson = False) -> None:
    """List the keys and their addresses.

    \b
    Example:
      tdr keys list
    """
    stored, faults = folder.KeyFolder(keys.expanduser()).look()
    for fault in faults:
        sys.stderr.write(f"warning: {output.one_line(fault.message)}\n")
    if not stored and not as_json:
        output.print_line(f"There is no key in {keys}. Create one with `tdr keys new NAME`.")
        return
    _print(list(stored), as_json=as_json, single=False)


def _print(keys: list[folder.StoredKey], *, as_json: bool, single: bool) -> None:
    documents = [{"name": key.name, "address": str(key.address), "file": str(key.path)} for key in keys]
    if as_json:
        output.print_json(documents[0] if single else {"items": documents})
    elif single:
        output.print_fields(documents[0])
    else:
        output.print_table(("name", "address", "file"), (list(document.values()) for document in documents))
