"""`tdr keys`: the keys that sign, encrypted in a folder of their owner's."""

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

    from registry.cli import key_files, output, writing
    from registry.keys import folder, keystore, signer
else:
    json, key_files = lazy("json"), lazy("registry.cli.key_files")
    output, writing = lazy("registry.cli.output"), lazy("registry.cli.writing")
    folder, keystore, signer = (lazy(f"registry.keys.{name}") for name in ("folder", "keystore", "signer"))

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, help="Make, list, import and export the keys that sign for you."
)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for it.")] = "default",
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a new key: an account of your own, encrypted with a password.

    Whoever has the file and the password can act as you; without either of them the key is lost. So keep a copy.

    \b
    Examples:
      tdr keys new alice
      tdr keys new alice --password-file alice.password
    """
    store = folder.KeyFolder(keys.expanduser())
    store.refuse_taken(name)
    password = writing.given_password(password_file)
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
            help="Holds the private key in hex, or a keystore (V3); - for standard input. Else a prompt.",
        ),
    ] = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Import a key from elsewhere: a private key in hex, or a keystore of a wallet (Web3 Secret Storage, version 3).

    A private key is encrypted with a new password. A keystore stays as it is, and is opened once with its password.
    No key is taken as an argument: other users of the machine could read it there.

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
        str | None, typer.Argument(metavar="NAME", help="Which; not needed where there is only one.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--output", parser=options.to_path, metavar="FILE", help="Where to write it; a new file."),
    ] = None,
    unprotected: Annotated[
        bool,
        typer.Option(
            "--unprotected-private-key",
            help="Write the private key itself in hex. Whoever sees it can act as you for ever.",
        ),
    ] = False,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Export a key as a keystore that wallets read, still encrypted with its password.

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
    """Return the private key in hex, for a file or, if that is confirmed, for a terminal."""
    if out is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty() and sys.stdout.isatty()):
            raise InvalidInput(
                "A private key without protection is written to a file or shown at a terminal only.",
                hint="Name a new file: -o FILE.",
            )
        confirm.ask(
            (f"Key {key.name}, {key.address}", "Whoever sees its private key can act as you for ever."),
            "Show it on this screen?",
        )
    return f"0x{keystore.unlock(key, writing.password_of(key, password_file)).secret().hex()}\n"


@app.command("list")
def list_keys(keys: options.Keys = options.KEY_FOLDER, as_json: options.AsJson = False) -> None:
    """List the keys and their addresses.

    \b
    Example:
      tdr keys list
    """
    found, faults = folder.KeyFolder(keys.expanduser()).look()
    for fault in faults:
        sys.stderr.write(f"warning: {output.one_line(fault.message)}\n")
    if not found and not as_json:
        output.print_line(f"There is no key in {keys}. Make one with `tdr keys new NAME`.")
        return
    _print(list(found), as_json=as_json, single=False)


def _print(keys: list[folder.StoredKey], *, as_json: bool, single: bool) -> None:
    documents = [{"name": key.name, "address": str(key.address), "file": str(key.path)} for key in keys]
    if as_json:
        output.print_json(documents[0] if single else {"items": documents})
    elif single:
        output.print_fields(documents[0])
    else:
        output.print_table(("name", "address", "file"), (list(document.values()) for document in documents))
