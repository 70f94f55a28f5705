"""Build manifests from existing hashes: a checksum list made by another tool, or bare digests.

Such hashes come without sizes, and so do these manifests. They are no weaker, because SHA-256 determines the content
and with it the size. But the same files hashed by hash_path have another root, because their leaves state the sizes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.manifest.entry import Entry
from registry.manifest.manifest import Manifest
from registry.manifest.paths import normalise_path

# `sha256sum`, `shasum`, `openssl dgst -r`: the hash, a space, the mark of text (a space) or binary (*), the path.
_MARKED = re.compile(r"(\\?)([0-9a-fA-F]{64}) [ *](.+)")
# BSD's `sha256 -r`: no mark, so a path may begin with a space or a star.
_UNMARKED = re.compile(r"(\\?)([0-9a-fA-F]{64}) (.+)")
# `sha256sum --tag`, BSD's `sha256`: `SHA256 (path) = hash`; `openssl dgst`: `SHA2-256(path)= hash`.
_TAGGED = re.compile(r"(\\?)([A-Z0-9/-]+) ?\((.+)\) ?= ([0-9a-fA-F]+)")
_SHA256_TAGS = frozenset({"SHA256", "SHA2-256"})
_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
_BYTE_ORDER_MARK = "\ufeff"
_HOW_TO_WRITE = "Write the list with `sha256sum FILES > LIST`."


def from_digests(digests: Mapping[str, Bytes32]) -> Manifest:
    """Return the manifest of files of which only the path and the SHA-256 are known.

    Args:
        digests: The SHA-256 of each file by its path.

    Raises:
        InvalidInput: There are none, a path is not allowed in a manifest, or two paths collide.
    """
    return Manifest.of(Entry(normalise_path(path), digest, None) for path, digest in digests.items())


def from_checksums(text: str) -> Manifest:
    """Return the manifest for a list of SHA-256 checksums, as written by the usual tools of Linux, macOS, BSD and
    Windows.

    These are GNU `sha256sum` (with or without `--tag`), `shasum -a 256`, BSD `sha256` (with or without `-r`) and
    `openssl dgst -sha256` (with or without `-r`). A byte order mark, CRLF, blank lines and lines that begin with # are
    allowed. A leading ``./``, as written by ``find``, is removed from the paths.

    Args:
        text: The list.

    Raises:
        InvalidInput: A line has none of these forms, forms with and without a mark are mixed, the list is empty, a path
            is not allowed in a manifest, or two paths collide.
    """
    lines = _lines(text)
    first = next((match[3] for _, line in lines if (match := _UNMARKED.fullmatch(line))), " ")
    # One form for the whole list, as in GNU sha256sum: otherwise a path that begins with a star would be misread.
    plain = _MARKED if first[0] in " *" else _UNMARKED
    return Manifest.of(_parse_line(number, line, plain) for number, line in lines)


def _lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that state a checksum, with their numbers and without their line ends."""
    lines = list(enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), 1))
    stated = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
    returns = [number for number, line in stated if line.endswith("\r")]
    if not returns:
        return stated
    # The last line may have no line end. Otherwise a \r at the end of only some lines could be part of their names.
    others = [number for number, line in stated if not line.endswith("\r") and number != len(lines)]
    if others:
        raise InvalidInput(
            f"Line {returns[0]} of the list ends in CRLF, but line {others[0]} does not.",
            hint="Use the same line end in all lines: `dos2unix LIST`.",
        )
    return [(number, line.removesuffix("\r")) for number, line in stated]


def _parse_line(number: int, line: str, plain: re.Pattern[str]) -> Entry:
    if match := plain.fullmatch(line):
        escaped, digest, path = match.groups()
    elif match := _TAGGED.fullmatch(line):
        escaped, algorithm, path, digest = match.groups()
        if algorithm not in _SHA256_TAGS or len(digest) != 2 * Bytes32.LENGTH:
            raise InvalidInput(
                f"Line {number} of the list has a checksum by {algorithm} with {len(digest)} digits; expected SHA-256 "
                f"with {2 * Bytes32.LENGTH} digits.",
                hint=_HOW_TO_WRITE,
            )
    else:
        raise _not_a_checksum(number, line)
    if escaped:
        path = re.sub(r"\\(.|$)", lambda escape: _unescape(number, escape.group()), path)
    try:
        return Entry(normalise_path(path.removeprefix("./")), Bytes32(bytes.fromhex(digest)), None)
    except InvalidInput as error:
        raise InvalidInput(f"Line {number} of the list: {error.message}", hint=error.hint) from error


def _not_a_checksum(number: int, line: str) -> InvalidInput:
    if (match := _UNMARKED.fullmatch(line)) and match[3].strip():
        return InvalidInput(
            f"Line {number} of the list has one space after the hash; the preceding lines have two, or a space and *.",
            hint="Use the same form in all lines.",
        )
    return InvalidInput(
        f"Line {number} of the list is not a SHA-256 checksum; expected `HASH  PATH` or `SHA256 (PATH) = HASH`, got "
        f"{line[:80]!r}.",
        hint=_HOW_TO_WRITE,
    )


def _unescape(number: int, escape: str) -> str:
    if escape not in _ESCAPES:
        raise InvalidInput(f"Line {number} of the list has an unknown escape: {escape!r}.")
    return _ESCAPES[escape]
