"""Write the output of a command to a file or to standard output."""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
from pathlib import Path

from registry.base.errors import InvalidInput


def write(content: bytes, file: Path | None) -> None:
    """Write content to a file atomically, replacing an older one; or to standard output.

    Of a symbolic link the target is replaced. An existing path that is not a regular file, such as a device, is
    written to.

    Args:
        content: The content.
        file: The file; None for standard output.

    Raises:
        InvalidInput: The file cannot be written.
    """
    if file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        older = _stat(file)
        if older is None:
            _replace(Path(os.path.realpath(file)), content, None)
        elif stat.S_ISDIR(older.st_mode):
            raise InvalidInput(f"{str(file)!r} is a folder; expected a file.", hint="Add the file's name.")
        elif (stream := _stream(older)) is not None:
            _append(os.dup(stream), content)
        elif stat.S_ISREG(older.st_mode):
            _replace(Path(os.path.realpath(file)), content, stat.S_IMODE(older.st_mode))
        else:
            _append(os.open(file, os.O_WRONLY | os.O_CLOEXEC), content)
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be written: {error.strerror}.") from error


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except FileNotFoundError:
        return None


def _stream(older: os.stat_result) -> int | None:
    """Return the descriptor of standard output or standard error, if the file is one of them, as /dev/stdout is."""
    for descriptor in (1, 2):
        try:
            if os.path.samestat(os.fstat(descriptor), older):
                return descriptor
        except OSError:
            continue  # It is closed.
    return None


def _append(descriptor: int, content: bytes) -> None:
    sys.stdout.flush()
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _replace(file: Path, content: bytes, mode: int | None) -> None:
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o666 if mode is None else mode), "wb") as new:
            if mode is not None:
                os.fchmod(new.fileno(), mode)
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def json_bytes(document: object) -> bytes:
    """Return a JSON document, indented, in UTF-8."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
