"""The list of a dataset's files, its text form ``tdr-manifest/1``, and the comparison of two such lists."""

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
    """Every file of a dataset, in the order of their paths.

    Args:
        entries: At least one, strictly ascending by the UTF-8 bytes of their paths. Either all have a size or none,
            and either all have a salt or none, so that one dataset has one form.

    Raises:
        InvalidInput: They are not so, or two of their names collide.
    """

    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if not self.entries:
            raise InvalidInput("A manifest lists at least one file, but there are none.")
        for earlier, later in pairwise(self.entries):
            # Code points order as UTF-8 bytes do.
            if earlier.path == later.path:
                raise InvalidInput(f"The path {later.path!r} stands in the manifest twice.")
            if earlier.path > later.path:
                raise InvalidInput(
                    f"The path {later.path!r} stands after {earlier.path!r}; a manifest is ordered by UTF-8 bytes."
                )
            if (earlier.size is None) != (later.size is None):
                raise InvalidInput(f"Either all files of a manifest have a size or none; {later.path!r} differs.")
            if (earlier.salt is None) != (later.salt is None):
                raise InvalidInput(f"Either all files of a manifest have a salt or none; {later.path!r} differs.")
        refuse_collisions(entry.path for entry in self.entries)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """The manifest of entries in any order.

        Raises:
            InvalidInput: As the constructor does, the order apart.
        """
        return cls(tuple(sorted(entries, key=lambda entry: entry.path)))

    @classmethod
    def parse(cls, source: bytes | str | Mapping[str, object]) -> Self:
        """Reads a manifest and checks everything in it, its root too.

        Args:
            source: The JSON text, its UTF-8 bytes, or the object that they hold. An object from another JSON reader
                no longer shows keys that stood in the text twice.

        Raises:
            InvalidInput: It is not exactly a manifest; the message names the entry at fault.
        """
        document = source if isinstance(source, Mapping) else read_json(source)
        if not isinstance(document, Mapping) or document.get("format") != FORMAT:
            raise InvalidInput(f'A manifest is a JSON object with "format": "{FORMAT}", but this is not.')
        _check_fields("The manifest", document, required={"format", "root", "files"})
        files = document["files"]
        if not isinstance(files, list):
            raise InvalidInput('"files" of the manifest is a list.')
        manifest = cls(tuple(_parse_entry(position, file) for position, file in enumerate(files, 1)))
        root = document["root"]
        if root != str(manifest.root):
            raise InvalidInput(f"The manifest states the root {root!r:.80}, but its files have {manifest.root}.")
        return manifest

    def to_json(self) -> str:
        """The manifest's one text form. Every line between the first and the last is a leaf, byte for byte."""
        leaves = ",\n".join(entry.leaf.decode() for entry in self.entries)
        return f'{{"format":"{FORMAT}","root":"{self.root}","files":[\n{leaves}\n]}}\n'

    @cached_property
    def root(self) -> Bytes32:
        """The content root: the RFC 9162 root over the leaves of the entries."""
        return merkle_root(entry.leaf for entry in self.entries)

    @property
    def total_size(self) -> int | None:
        """The sum of the sizes in bytes, or None where they are not known."""
        sizes = [entry.size for entry in self.entries if entry.size is not None]
        return sum(sizes) if sizes else None

    @property
    def is_private(self) -> bool:
        """Whether the entries are salted."""
        return self.entries[0].salt is not None

    def entry(self, path: str) -> Entry:
        """The entry of a path.

        Raises:
            NotFound: There is none.
        """
        return self.entries[self._index(path)]

    def leaf(self, path: str) -> bytes:
        """Return the leaf of a path; raise NotFound where there is none."""
        return self.entry(path).leaf

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.entries)

    def proof(self, path: str) -> InclusionProof:
        """The proof that the entry of a path is under this manifest's root.

        Raises:
            NotFound: There is no such entry.
        """
        return self._tree.proof(self._index(path))

    def salted(self, draw: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """The private form of this manifest: the same files, each with a salt of its own.

        Args:
            draw: Gives as many unpredictable bytes as it is asked for.
        """
        return type(self)(tuple(replace(entry, salt=draw(SALT_BYTES)) for entry in self.entries))

    def without_sizes(self) -> Self:
        """The form that a list made by sha256sum has; for comparing a root with that of such a list."""
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
        expected: The file that ought to be there, or None: then the found one is extra.
        found: The file that is there, or None: then the expected one is missing.
    """

    path: str
    expected: Entry | None
    found: Entry | None

    @property
    def kind(self) -> Literal["changed", "missing", "extra"]:
        """In what way they differ."""
        if self.expected is None:
            return "extra"
        return "missing" if self.found is None else "changed"


def compare(expected: Manifest, found: Manifest) -> tuple[Mismatch, ...]:
    """Every path at which the content of two manifests differs, in the order of paths; none if they agree.

    Salts do not count: they are not content. A size counts where both manifests know it.
    """
    left = {entry.path: entry for entry in expected.entries}
    right = {entry.path: entry for entry in found.entries}
    return tuple(
        Mismatch(path, left.get(path), right.get(path))
        for path in sorted(left.keys() | right.keys())
        if not _same_content(left.get(path), right.get(path))
    )


def _same_content(one: Entry | None, other: Entry | None) -> bool:
    if one is None or other is None:
        return False
    return one.sha256 == other.sha256 and (one.size == other.size or one.size is None or other.size is None)


def _parse_entry(position: int, file: object) -> Entry:
    where = f"Entry {position} of the manifest"
    if not isinstance(file, Mapping):
        raise InvalidInput(f"{where} is a JSON object, but this is not.")
    path = file.get("path")
    if not isinstance(path, str):
        raise InvalidInput(f"{where} has a path that is a string.")
    where = f"{where} ({path!r})"
    _check_fields(where, file, required={"path", "sha256", "size"}, optional={"salt"})
    size = file["size"]
    if size is not None and type(size) is not int:
        raise InvalidInput(f"{where} has a size that is a whole number or null.")
    salt = _parse_hex(where, "salt", file["salt"], SALT_BYTES) if "salt" in file else None
    digest = Bytes32(_parse_hex(where, "sha256", file["sha256"], 32))
    try:
        return Entry(path, digest, size, salt)
    except InvalidInput as error:
        raise InvalidInput(f"Entry {position} of the manifest: {error.message}", hint=error.hint) from error


def _parse_hex(where: str, name: str, value: object, length: int) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * length}}}", value):
        raise InvalidInput(f"{where} has a {name} that is {2 * length} lower-case hex digits.")
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
