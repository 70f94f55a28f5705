"""The folder of keys: one keystore file a key, `NAME.json`, readable by its owner only."""

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
_HOW_TO_START = "Make one with `tdr keys new NAME`."


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key in the folder, still encrypted.

    Args:
        name: The name its owner gave it.
        address: The account that it signs for, as the file states it.
        path: The keystore file.
    """

    name: str
    address: Address
    path: Path

    def keystore(self) -> Mapping[str, Any]:
        """The file's content: a Web3 Secret Storage object, version 3.

        Raises:
            InvalidInput: The file cannot be read, or is none.
        """
        return _read(self.path)


class KeyFolder:
    """The keys in a folder.

    Args:
        path: The folder; it is made, for its owner only, when the first key is added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def keys(self) -> tuple[StoredKey, ...]:
        """All keys that can be read, by name.

        Raises:
            InvalidInput: The folder cannot be read.
        """
        return self.look()[0]

    def look(self) -> tuple[tuple[StoredKey, ...], tuple[InvalidInput, ...]]:
        """All keys, by name, and what is wrong with each other file that is called like one.

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
        """The key with a name; without one, the only key there is.

        Raises:
            NotFound: There is none.
            InvalidInput: No name was given, and there are several keys, or a file that may be another. Or the file
                with that name is no keystore.
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
        """Return the address of the key with a name; None where there is none.

        Raises:
            InvalidInput: The file with that name is no keystore.
        """
        path = self.path / f"{name}.json"
        return _address(path) if _NAME.fullmatch(name) and path.exists() else None

    def refuse_taken(self, name: str) -> None:
        """Checks that a new key may have this name.

        Raises:
            InvalidInput: It is no name for a key.
            Conflict: There is such a key.
        """
        check_name(name)
        path = self.path / f"{name}.json"
        if path.exists():
            raise Conflict(f"There is a key {name!r} already: {path}.", hint="Choose another name.")

    def add(self, name: str, keystore: Mapping[str, Any]) -> StoredKey:
        """Stores a new key; either the whole file is there afterwards, or none.

        Raises:
            Conflict: There is a key with this name.
            InvalidInput: It is no name for a key, or the file cannot be written.
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
            raise Conflict(f"There is a key {name!r} already: {path}.", hint="Choose another name.") from error
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
    """Checks that a key may have this name.

    Raises:
        InvalidInput: It may not.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name for a key: 1 to 64 letters, digits, dots, - and _, the first a letter or digit or _."
        )


def _address(path: Path) -> Address:
    stated = _read(path).get("address")
    try:
        return Address.parse(f"0x{str(stated).removeprefix('0x').lower()}")
    except InvalidInput:
        raise InvalidInput(f"The key file {path} does not state an address, so it is no keystore.") from None


def _read(path: Path) -> Mapping[str, Any]:
    try:
        # Nonblocking, for it may be a pipe, into which nobody writes.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"The key file {path} is no regular file, so it is no keystore.")
            content = file.read(MAX_BYTES)
    except OSError as error:
        raise InvalidInput(f"The key file {path} cannot be read: {error.strerror}.") from error
    try:
        keystore = read_json(content)
    except InvalidInput:
        raise InvalidInput(f"The key file {path} is not JSON.") from None
    if not isinstance(keystore, dict):
        raise InvalidInput(f"The key file {path} is no keystore.")
    return keystore
