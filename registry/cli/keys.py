"""`tdr keys`: the keys that sign, encrypted in a folder of their owner's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry.cli import output, writing
    from registry.keys import folder, keystore, signer
else:
    output, writing = lazy("registry.cli.output"), lazy("registry.cli.writing")
    folder, keystore, signer = (lazy(f"registry.keys.{name}") for name in ("folder", "keystore", "signer"))

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Make and list the keys that sign for you.")


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
