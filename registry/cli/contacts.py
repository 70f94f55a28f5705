"""`tdr contacts`: names for the accounts of other people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry.base import primitives
    from registry.cli import output
    from registry.keys import contacts as book
else:
    primitives, output = lazy("registry.base.primitives"), lazy("registry.cli.output")
    book = lazy("registry.keys.contacts")

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Name the accounts of other people.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The contact's name.")]


@app.command()
def add(
    name: Name,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The account.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a contact with this name.")] = False,
    keys: options.Keys = options.KEY_FOLDER,
    as_json: options.AsJson = False,
) -> None:
    """Add a contact. Its name can then be used in place of the address.

    \b
    Examples:
      tdr contacts add bob 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
      tdr contacts add bob 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC --replace
    """
    account = primitives.Address.parse(address)
    book.Contacts(keys.expanduser()).add(name, account, replace=replace)
    _print(name, account, as_json=as_json)


@app.command("list")
def list_contacts(keys: options.Keys = options.KEY_FOLDER, as_json: options.AsJson = False) -> None:
    """List the contacts and their addresses.

    \b
    Example:
      tdr contacts list
    """
    contacts = book.Contacts(keys.expanduser()).all()
    if as_json:
        output.print_json({"items": [{"name": name, "address": str(account)} for name, account in contacts.items()]})
    elif contacts:
        output.print_table(("name", "address"), contacts.items())
    else:
        output.print_line("There are no contacts. Add one with `tdr contacts add NAME ADDRESS`.")


@app.command()
def show(name: Name, keys: options.Keys = options.KEY_FOLDER, as_json: options.AsJson = False) -> None:
    """Show a contact's address.

    \b
    Example:
      tdr contacts show bob
    """
    _print(name, book.Contacts(keys.expanduser()).get(name), as_json=as_json)


@app.command()
def remove(name: Name, keys: options.Keys = options.KEY_FOLDER, as_json: options.AsJson = False) -> None:
    """Remove a contact. Nothing on the chain changes.

    \b
    Example:
      tdr contacts remove bob
    """
    _print(name, book.Contacts(keys.expanduser()).remove(name), as_json=as_json)


def _print(name: str, account: primitives.Address, *, as_json: bool) -> None:
    document = {"name": name, "address": str(account)}
    if as_json:
        output.print_json(document)
    else:
        output.print_fields(document)
