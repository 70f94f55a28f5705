"""The list of a dataset's files, its text form ``tdr-manifest/1``, and the comparison of two lists."""

from __future__ import annotations

import re
import secrets
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal, Self

from registry.base.canonical import read_json
from registry.base.errors import InvalidInput, NotFound
from registry.base.merkle import InclusionProof, MerkleTree, merkle_root
from registry.base.primitives import Bytes32
from registry.manifest.entry import SALT_BYTES, Entry
from registry.manifest.paths import refuse_collisions

FORMAT = "tdr-manifest/1"


@dataclass(frozen=True)
class Manifest:
    """All files of a dataset, in the order of their paths.

    Args:
        entries: At least one, strictly ascending by the UTF-8 bytes of their paths. Either all have a size or none, and
            either all have a salt or none, so that each dataset has one form.

    Raises:
        InvalidInput: The entries violate these rules, or two of their names collide.
    """

    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if not self.entries:
            raise InvalidInput("A manifest lists at least one file; got none.")
        for earlier, later in pairwise(self.entries):
            # Code points sort like their UTF-8 bytes.
            if earlier.path == later.path:
                raise InvalidInput(f"The path {later.path!r} appears twice in the manifest.")
            if earlier.path > later.path:
                raise InvalidInput(
                    f"The path {later.path!r} follows {earlier.path!r}; paths must be ascending by their UTF-8 bytes."
                )
            if (earlier.size is None) != (later.size is None):
                raise InvalidInput(f"Either all files of a manifest have a size or none; {later.path!r} differs.")
            if (earlier.salt is None) != (later.salt is None):
                raise InvalidInput(f"Either all files of a manifest have a salt or none; {later.path!r} differs.")
        refuse_collisions(entry.path for entry in self.entries)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """Return the manifest of entries in any order.

        Raises:
            InvalidInput: The entries violate a rule other than the order; see the constructor.
        """
        return cls(tuple(sorted(entries, key=lambda entry: entry.path)))

    @classmethod
    def parse(cls, source: bytes | str | Mapping[str, object]) -> Self:
        """Parse a manifest and check everything in it, including its root.

        Args:
            source: The JSON text, its UTF-8 bytes, or the decoded object. In an object from another JSON reader,
                repeated keys can no longer be detected.

        Raises:
            InvalidInput: The source is not exactly a manifest; the message names the faulty entry.
        """
        document = source if isinstance(source, Mapping) else read_json(source)
        if not isinstance(document, Mapping) or document.get("format") != FORMAT:
            raise InvalidInput(f'Not a manifest: expected a JSON object with "format": "{FORMAT}".')
        _check_fields("The manifest", document, required={"format", "root", "files"})
        files = document["files"]
        if not isinstance(files, list):
            raise InvalidInput('"files" of the manifest must be a list.')
        manifest = cls(tuple(_parse_entry(position, file) for position, file in enumerate(files, 1)))
        root = document["root"]
        if root != str(manifest.root):
            raise InvalidInput(f"The manifest states the root {root!r:.80}, but its files have {manifest.root}.")
        return manifest

    def to_json(self) -> str:
        """Return the manifest's only text form. Every line between the first and the last is a leaf, byte for byte."""
        leaves = ",\n".join(entry.leaf.decode() for entry in self.entries)
        return f'{{"format":"{FORMAT}","root":"{self.root}","files":[\n{leaves}\n]}}\n'

    @cached_property
    def root(self) -> Bytes32:
        """Return the content root: the RFC 9162 root over the leaves of the entries."""
        return merkle_root(entry.leaf for entry in self.entries)

    @property
    def total_size(self) -> int | None:
        """Return the sum of the sizes in bytes; None if they are not known."""
        sizes = [entry.size for entry in self.entries if entry.size is not None]
        return sum(sizes) if sizes else None

    @property
    def is_private(self) -> bool:
        """Return whether the entries are salted."""
        return self.entries[0].salt is not None

    def entry(self, path: str) -> Entry:
        """Return the entry of a path.

        Raises:
            NotFound: There is no such entry.
        """
        return self.entries[self._index(path)]

    def leaf(self, path: str) -> bytes:
        """Return the leaf of a path.

        Raises:
            NotFound: There is no such entry.
        """
        return self.entry(path).leaf

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.entries)

    def proof(self, path: str) -> InclusionProof:
        """Return the proof that the entry of a path is under this manifest's root.

        Raises:
            NotFound: There is no such entry.
        """
        return self._tree.proof(self._index(path))

    def salted(self, draw: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Return the private form of this manifest: the same files, each with its own salt.

        Args:
            draw: Returns the given number of unpredictable bytes.
        """
        return type(self)(tuple(replace(entry, salt=draw(SALT_BYTES)) for entry in self.entries))

    def without_sizes(self) -> Self:
        """Return the form of a list made by sha256sum, to compare its root with one."""
        return type(self)(tuple(replace(entry, size=None) for entry in self.entries))

    @cached_property
    def _tree(self) -> MerkleTree:
        return MerkleTree(entry.leaf for entry in self.entries)

    def _index(self, path: str) -> int:
        index = bisect_left(self.entries, path, key=lambda entry: entry.path)
        if index == len(self.entries) or self.entries[index].path != path:
            raise NotFound(f"The manifest lists no file {path!r}.")
        return index


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A path at which two manifests differ.

    Args:
        path: The path.
        expected: The expected file; None if the file is extra.
        found: The file that was found; None if the expected one is missing.
    """

    path: str
    expected: Entry | None
    found: Entry | None

    @property
    def kind(self) -> Literal["changed", "missing", "extra"]:
        """Return how they differ."""
        if self.expected is None:
            return "extra"
        return "missing" if self.found is None else "changed"


def compare(expected: Manifest, found: Manifest) -> tuple[Mismatch, ...]:
    """Return every path at which the content of two manifests differs, in the order of paths.

    Salts are ignored, because they are not content. Sizes are compared where both manifests know them.

    Args:
        expected: The expected manifest.
        found: The manifest to compare with it.
    """
    left = {entry.path: entry for entry in expected.entries}
    right = {entry.path: entry for entry in found.entries}
    return tuple(
        Mismatch(path, left.get(path), right.get(path))
        for path in sorted(left.keys() | right.keys())
        if not _same_content(left.get(path), right.get(path))
    )


def _same_content(left: Entry | None, right: Entry | None) -> bool:
    if left is None or right is None:
        return False
    return left.sha256 == right.sha256 and (left.size == right.size or left.size is None or right.size is None)


def _parse_entry(position: int, file: object) -> Entry:
    where = f"Entry {position} of the manifest"
    if not isinstance(file, Mapping):
        raise InvalidInput(f"{where} must be a JSON object.")
    path = file.get("path")
    if not isinstance(path, str):
        raise InvalidInput(f"{where}: the path must be a string.")
    where = f"{where} ({path!r})"
    _check_fields(where, file, required={"path", "sha256", "size"}, optional={"salt"})
    size = file["size"]
    if size is not None and type(size) is not int:
        raise InvalidInput(f"{where}: the size must be a whole number or null.")
    salt = _parse_hex(where, "salt", file["salt"], SALT_BYTES) if "salt" in file else None
    digest = Bytes32(_parse_hex(where, "sha256", file["sha256"], 32))
    try:
        return Entry(path, digest, size, salt)
    except InvalidInput as error:
        raise InvalidInput(f"Entry {position} of the manifest: {error.message}", hint=error.hint) from error


def _parse_hex(where: str, name: str, value: object, length: int) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * length}}}", value):
        raise InvalidInput(f"{where}: the {name} must be {2 * length} lower-case hex digits.")
    return bytes.fromhex(value)


def _check_fields(
    where: str, fields: Mapping[str, object], *, required: set[str], optional: frozenset[str] | set[str] = frozenset()
) -> None:
    missing = sorted(required - fields.keys())
    if missing:
        raise InvalidInput(f"{where} lacks {missing[0]!r}.")
    unknown = sorted(map(repr, fields.keys() - required - optional))
    if unknown:
        raise InvalidInput(f"{where} has an unknown field {unknown[0]:.80}.")
