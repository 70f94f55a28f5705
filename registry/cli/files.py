"""Writing what a command made to where it was asked for."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

from registry.errors import InvalidInput


def write(content: bytes, file: Path | None) -> None:
    """Writes to a file, whole or not at all, in the place of an older one; or to standard output where there is none.

    Raises:
        InvalidInput: It cannot be written.
    """
    if file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
    try:
        try:
            with draft.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be written: {error.strerror}.") from error


def json_bytes(document: object) -> bytes:
    """A JSON document as people like to read it, in UTF-8."""
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
