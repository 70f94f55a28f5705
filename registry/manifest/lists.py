"""Manifests from hashes that somebody else has computed: a list by sha256sum, or the bare digests.

Such hashes come without sizes, and so do these manifests; that makes them no weaker, since SHA-256 fixes the content
and with it the size. But the same files hashed by hash_path have another root, because their leaves state the sizes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from registry.errors import InvalidInput
from registry.manifest.entry import Entry
from registry.manifest.manifest import Manifest
from registry.manifest.paths import normalise_path
from registry.primitives import Bytes32

_LINE = re.compile(r"(\\?)([0-9a-fA-F]{64}) [ *](.+)")
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def from_digests(digests: Mapping[str, Bytes32]) -> Manifest:
    """The manifest of files of which only the path and the SHA-256 are known.

    Raises:
        InvalidInput: There are none, a path may not stand in a manifest, or two collide.
    """
    return Manifest.of(Entry(normalise_path(path), digest, None) for path, digest in digests.items())


def from_sha256sum(text: str) -> Manifest:
    """The manifest of a list as GNU sha256sum prints it: binary marks and escaped names included.

    A leading ``./``, as ``find`` writes it, is left out of the paths.

    Raises:
        InvalidInput: A line is not of that form, the list is empty, a path may not stand in a manifest, or two collide.
    """
    lines = text.removesuffix("\n").split("\n") if text else []
    return Manifest.of(_parse_line(number, line) for number, line in enumerate(lines, 1))


def _parse_line(number: int, line: str) -> Entry:
    match = _LINE.fullmatch(line)
    if match is None or line.endswith("\r"):
        raise InvalidInput(
            f"Line {number} of the list is not a SHA-256 hash, a space, a space or *, and a path: {line[:80]!r}.",
            hint="Write the list with `sha256sum FILES > LIST`, with line ends of one character.",
        )
    escaped, digest, path = match.groups()
    if escaped:
        path = re.sub(r"\\(.|$)", lambda escape: _unescape(number, escape.group()), path)
    try:
        return Entry(normalise_path(path.removeprefix("./")), Bytes32(bytes.fromhex(digest)), None)
    except InvalidInput as error:
        raise InvalidInput(f"Line {number} of the list: {error.message}", hint=error.hint) from error


def _unescape(number: int, escape: str) -> str:
    if escape not in _ESCAPES:
        raise InvalidInput(f"Line {number} of the list has an unknown escape: {escape!r}.")
    return _ESCAPES[escape]
