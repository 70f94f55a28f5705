"""The address book: names for other people's accounts, in a file beside the keys, readable by its owner only."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unicodedata import normalize

from registry.base.canonical import read_json
from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import ZERO_ADDRESS, Address
from registry.keys.folder import KeyFolder, check_name

FILE: Final = ".contacts"
_LOOKS_LIKE_AN_ADDRESS: Final = re.compile(r"0x.*|[0-9a-f]{40}", re.IGNORECASE)


class Contacts:
    """The address book in a key folder.

    Args:
        folder: The folder; it is created, for its owner only, when the first contact is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE

    def all(self) -> Mapping[str, Address]:
        """Return all contacts, by name.

        Raises:
            InvalidInput: The file cannot be read, or is not an address book.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InvalidInput(f"The address book {self._path} cannot be read: {error.strerror}.") from error
        try:
            return _parse(read_json(content))
        except InvalidInput as error:
            raise InvalidInput(f"The address book {self._path} is damaged: {error.message}") from None

    def get(self, name: str) -> Address:
        """Return a contact's address.

        Raises:
            NotFound: There is no such contact.
            InvalidInput: The file cannot be read, or is not an address book.
        """
        address = self.all().get(normalize("NFC", name))
        if address is None:
            raise NotFound(f"There is no contact {name!r}.", hint="`tdr contacts list` shows them.")
        return address

    def add(self, name: str, address: Address, *, replace: bool = False) -> None:
        """Add a contact. Adding it again with the same address changes nothing.

        Args:
            name: The contact's name.
            address: Its address.
            replace: Whether an existing contact's address may change.

        Raises:
            InvalidInput: The name is not allowed, the address is the zero address, or the file cannot be written.
            Conflict: A contact or key of that name has another address.
        """
        name = check_contact_name(name)
        if address == ZERO_ADDRESS:
            raise InvalidInput("The zero address has no owner.")
        key = KeyFolder(self._folder).address_of(name)
        if key not in (None, address):
            raise Conflict(f"{name!r} is one of your keys, with the address {key}.", hint="Choose another name.")
        with self._changing() as contacts:
            known = contacts.get(name)
            if known not in (None, address) and not replace:
                raise Conflict(
                    f"The contact {name!r} already exists with the address {known}.",
                    hint="Choose another name, or use --replace.",
                )
            contacts[name] = address

    def remove(self, name: str) -> Address:
        """Remove a contact and return its address.

        Raises:
            NotFound: There is no such contact.
            InvalidInput: The file cannot be read or written.
        """
        with self._changing() as contacts:
            address = contacts.pop(normalize("NFC", name), None)
            if address is None:
                raise NotFound(f"There is no contact {name!r}.", hint="`tdr contacts list` shows them.")
            return address

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Address]]:
        """Yield the contacts under a lock, then write the file as a whole."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise InvalidInput(f"The key folder {self._folder} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            contacts = dict(self.all())
            before = dict(contacts)
            yield contacts
            if contacts != before:
                self._write(contacts)
                os.fsync(lock)
        except OSError as error:
            raise InvalidInput(f"The address book {self._path} cannot be written: {error.strerror}.") from error
        finally:
            os.close(lock)

    def _write(self, contacts: Mapping[str, Address]) -> None:
        draft = self._folder / f"{FILE}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({name: str(contacts[name]) for name in sorted(contacts)}, file, ensure_ascii=False, indent=2)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)


def _parse(document: object) -> Mapping[str, Address]:
    if not isinstance(document, dict):
        raise InvalidInput("It is not a JSON object.")
    return {name: Address.parse(str(address)) for name, address in sorted(document.items())}


def check_contact_name(name: str) -> str:
    """Return the name of a contact in NFC.

    Raises:
        InvalidInput: It is not allowed as the name of a key, or looks like an address.
    """
    name = normalize("NFC", name)
    check_name(name)
    if _LOOKS_LIKE_AN_ADDRESS.fullmatch(name):
        raise InvalidInput(f"{name!r} looks like an address, so it cannot be the name of a contact.")
    return name
