"""A manifest as its text, where each line is a leaf: a request about one file parses no other."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Protocol

import orjson

from registry.base.errors import InvalidInput, NotFound
from registry.base.merkle import InclusionProof, MerkleTree
from registry.base.primitives import Bytes32


class Listing(Protocol):
    """The list of files that evidence needs: a `Manifest`, or the text of one."""

    @property
    def root(self) -> Bytes32:
        """Return the content root."""
        ...

    def leaf(self, path: str) -> bytes:
        """Return the leaf of a path; raise NotFound if there is none."""
        ...

    def proof(self, path: str) -> InclusionProof:
        """Return the proof that the leaf of a path is under the root; raise NotFound if there is none."""
        ...

    def to_json(self) -> str:
        """Return the text form."""
        ...

    def __len__(self) -> int:
        """Return the number of files."""
        ...


class ManifestText:
    """The text form of a manifest that was checked before it was stored. It takes about 80 bytes per file plus the
    text.

    Args:
        text: The output of `Manifest.to_json`, in UTF-8.

    Raises:
        InvalidInput: The text has another form, or its lines do not have the root that it states.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._starts = array("Q", _line_starts(text))
        if len(self._starts) < 2:
            raise InvalidInput("The manifest is not in its text form: expected one line per file.")
        self._tree = MerkleTree(self._leaf(index) for index in range(len(self)))
        stated = text[: text.index(b"\n")]
        if f'"root":"{self.root}"'.encode() not in stated:
            raise InvalidInput(f"The files of the manifest have the root {self.root}, but it states another.")

    @property
    def root(self) -> Bytes32:
        """Return the content root."""
        return self._tree.root

    @property
    def nbytes(self) -> int:
        """Return its approximate memory in bytes."""
        return len(self._text) + 80 * len(self)

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self._starts) - 1

    def leaf(self, path: str) -> bytes:
        """Return the leaf of a path; raise NotFound if there is none."""
        return self._leaf(self._index(path))

    def proof(self, path: str) -> InclusionProof:
        """Return the proof that the leaf of a path is under the root; raise NotFound if there is none."""
        return self._tree.proof(self._index(path))

    def to_json(self) -> str:
        """Return the text form."""
        return self._text.decode()

    def _leaf(self, index: int) -> bytes:
        return self._text[self._starts[index] : self._starts[index + 1]].rstrip(b",\n")

    def _path(self, index: int) -> str:
        entry: Any = orjson.loads(self._leaf(index))
        return str(entry["path"])

    def _index(self, path: str) -> int:
        index = bisect_left(range(len(self)), path, key=self._path)
        if index == len(self) or self._path(index) != path:
            raise NotFound(f"The manifest lists no file {path!r}.")
        return index


def _line_starts(text: bytes) -> Iterator[int]:
    """Yield the offset of each file's line, and the end of the last one."""
    end = text.find(b"\n") + 1
    while end and not text.startswith(b"]", end):
        yield end
        end = text.find(b"\n", end) + 1
    yield end
