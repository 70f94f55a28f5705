"""Resolve accounts given as an address, the name of a key, or the name of a contact."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from unicodedata import normalize

from registry.base.errors import Conflict, NotFound
from registry.base.primitives import Address
from registry.cli.output import print_note
from registry.keys.contacts import Contacts
from registry.keys.folder import KeyFolder

_ADDRESS: Final = re.compile(r"0x.*|[0-9a-f]{40}", re.IGNORECASE | re.DOTALL)


def address_of(text: str, keys: Path) -> Address:
    """Return the address of an account. For a name, a note on standard error shows the address.

    Args:
        text: An address, or the name of a key or contact.
        keys: The folder of keys.

    Raises:
        InvalidInput: It is a malformed address.
        NotFound: There is no key and no contact of this name.
        Conflict: A key and a contact have the name, with different addresses.
    """
    if _ADDRESS.fullmatch(text):
        return Address.parse(text)
    folder = keys.expanduser()
    name = normalize("NFC", text)
    key = KeyFolder(folder).address_of(name)
    contact = Contacts(folder).all().get(name)
    if key and contact and key != contact:
        raise Conflict(
            f"{text!r} is both a key of yours ({key}) and a contact ({contact}).",
            hint=f"Give the address, or remove the contact: tdr contacts remove {text}.",
        )
    address = key or contact
    if address is None:
        raise NotFound(
            f"{text[:80]!r} is neither an address nor the name of a key or contact.",
            hint="An address is 0x and 40 hex digits. `tdr keys list` and `tdr contacts list` show the names.",
        )
    print_note(f"{text} is {address}, {'a key of yours' if key else 'a contact'}.")
    return address
