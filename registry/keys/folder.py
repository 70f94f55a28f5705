"""The key folder: one keystore file per key, `NAME.json`, readable by its owner only."""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.base.canonical import read_json
from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import Address

MAX_BYTES = 2**20
_NAME = re.compile(r"[\w][\w.-]{0,63}")
_HOW_TO_START = "Create one with `tdr keys new NAME`."


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An encrypted key in the folder.

    Args:
        name: The key's name.
        address: The account it signs for, as stated in the file.
        path: The keystore file.
    """

    name: str
    address: Address
    path: Path

    def keystore(self) -> Mapping[str, Any]:
        """Return the file's content: a Web3 Secret Storage object, version 3.

        Raises:
            InvalidInput: The file cannot be read, or is not a keystore.
        """
        return _read(self.path)


class KeyFolder:
    """The keys in a folder.

    Args:
        path: The folder; it is created, for its owner only, when the first key is added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def keys(self) -> tuple[StoredKey, ...]:
        """Return all readable keys, by name.

        Raises:
            InvalidInput: The folder cannot be read.
        """
        return self.look()[0]

    def look(self) -> tuple[tuple[StoredKey, ...], tuple[InvalidInput, ...]]:
        """Return all readable keys, by name, and an error for each other file with the name of a key.

        Raises:
            InvalidInput: The folder cannot be read.
        """
        try:
            files = sorted(self.path.glob("*.json")) if self.path.exists() else []
        except OSError as error:
            raise InvalidInput(f"The key folder {self.path} cannot be read: {error.strerror}.") from error
        keys, faults = [], []
        for file in files:
            try:
                keys.append(StoredKey(file.stem, _address(file), file))
            except InvalidInput as fault:
                faults.append(fault)
        return tuple(keys), tuple(faults)

    def key(self, name: str | None) -> StoredKey:
        """Return a key.

        Args:
            name: The key's name; None: the only key in the folder.

        Raises:
            NotFound: There is no such key.
            InvalidInput: No name was given and there are several keys, or a file that may be another key. Or the file
                of that name is not a keystore.
        """
        if name is not None:
            check_name(name)
            path = self.path / f"{name}.json"
            if not path.exists():
                raise NotFound(f"There is no key {name!r} in {self.path}.", hint=self._which())
            return StoredKey(name, _address(path), path)
        keys, faults = self.look()
        if faults:
            raise InvalidInput(faults[0].message, hint=f"Name the key: --key NAME. {self._which()}")
        if not keys:
            raise NotFound(f"There is no key in {self.path}.", hint=_HOW_TO_START)
        if len(keys) > 1:
            raise InvalidInput(
                f"There are {len(keys)} keys in {self.path}.", hint=f"Name one: --key NAME. {self._which()}"
            )
        return keys[0]

    def address_of(self, name: str) -> Address | None:
        """Return the address of a key; None if there is no such key.

        Raises:
            InvalidInput: The file of that name is not a keystore.
        """
        path = self.path / f"{name}.json"
        return _address(path) if _NAME.fullmatch(name) and path.exists() else None

    def refuse_taken(self, name: str) -> None:
        """Check that a new key may have this name.

        Raises:
            InvalidInput: The name is not allowed for a key.
            Conflict: There is such a key.
        """
        check_name(name)
        path = self.path / f"{name}.json"
        if path.exists():
            raise Conflict(f"The key {name!r} already exists: {path}.", hint="Choose another name.")

    def add(self, name: str, keystore: Mapping[str, Any]) -> StoredKey:
        """Store a new key. The file is written completely or not at all.

        Args:
            name: The key's name.
            keystore: Its keystore object.

        Raises:
            Conflict: There is a key with this name.
            InvalidInput: The name is not allowed for a key, or the file cannot be written.
        """
        self.refuse_taken(name)
        path = self.path / f"{name}.json"
        draft = self.path / f".{name}.{secrets.token_hex(4)}"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(keystore, file)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(draft, path)  # Unlike a rename, this never replaces a key.
            finally:
                draft.unlink()
            self._flush()
        except FileExistsError as error:
            raise Conflict(f"The key {name!r} already exists: {path}.", hint="Choose another name.") from error
        except OSError as error:
            raise InvalidInput(f"The key file {path} cannot be written: {error.strerror}.") from error
        return StoredKey(name, _address(path), path)

    def _flush(self) -> None:
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _which(self) -> str:
        names = ", ".join(key.name for key in self.keys())
        return f"The keys are: {names}." if names else _HOW_TO_START


def check_name(name: str) -> None:
    """Check that a key may have this name.

    Raises:
        InvalidInput: The name is not allowed.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is not a name for a key: expected 1 to 64 letters, digits, dots, - and _, "
            "beginning with a letter, a digit or _."
        )


def _address(path: Path) -> Address:
    stated = _read(path).get("address")
    try:
        return Address.parse(f"0x{str(stated).removeprefix('0x').lower()}")
    except InvalidInput:
        raise InvalidInput(f"The key file {path} does not state an address, so it is not a keystore.") from None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        # Non-blocking, because it may be a pipe without a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"The key file {path} is not a regular file, so it is not a keystore.")
            content = file.read(MAX_BYTES)
    except OSError as error:
        raise InvalidInput(f"The key file {path} cannot be read: {error.strerror}.") from error
    try:
        keystore = read_json(content)
    except InvalidInput:
        raise InvalidInput(f"The key file {path} is not JSON.") from None
    if not isinstance(keystore, dict):
        raise InvalidInput(f"The key file {path} is not a keystore.")
    return keystore
