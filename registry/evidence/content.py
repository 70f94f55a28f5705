"""Check content against the hashes of a version: its files, whole or one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from registry.base.canonical import canonical_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.merkle import InclusionProof
from registry.base.primitives import Bytes32
from registry.manifest import Entry

Path: TypeAlias = tuple[tuple[Literal["left", "right"], Bytes32], ...]
"""The siblings on the path from a leaf to the root, each with its side.

The sides carry the same information as a leaf's index, and the root commits to every bit of them. It does not commit to
an index and a number of leaves: the same siblings fit several.
"""

_LEAF = b"\x00"
_NODE = b"\x01"
_LONGEST_PATH = 64


def path_of(proof: InclusionProof) -> Path:
    """Return the path of an inclusion proof."""
    siblings = iter(proof.path)
    index, last = proof.index, proof.size - 1
    path: list[tuple[Literal["left", "right"], Bytes32]] = []
    while last:
        if index & 1:
            path.append(("left", next(siblings)))
        elif index < last:
            path.append(("right", next(siblings)))
        index, last = index >> 1, last >> 1
    return tuple(path)


def require_in(entry: Mapping[str, Any], path: Path, root: Bytes32) -> Entry:
    """Require that a file is in the dataset with a content root.

    Args:
        entry: The file's entry in the manifest.
        path: The siblings on the path to the root.
        root: The content root (RFC 9162).

    Raises:
        InvalidInput: The entry is malformed.
        VerificationFailed: The file is not in the dataset.

    Returns:
        The entry.
    """
    leaf = canonical_json(entry)
    parsed = _entry(entry)
    if parsed.leaf != leaf:
        raise InvalidInput(f"The entry of {parsed.path!r} could not be in a manifest.")
    if len(path) > _LONGEST_PATH:
        raise InvalidInput(f"A path has at most {_LONGEST_PATH} siblings, but this has {len(path)}.")
    node = sha256(_LEAF + leaf).digest()
    for side, sibling in path:
        node = sha256(_NODE + (sibling + node if side == "left" else node + sibling)).digest()
    if node != root:
        raise VerificationFailed(f"The path of {parsed.path!r} leads to 0x{node.hex()}, not to the root {root}.")
    return parsed


def require_ascending(paths: Sequence[str]) -> None:
    """Require that files are shown in ascending order of their paths, each once.

    Raises:
        InvalidInput: They are in another order, or a path occurs twice.
    """
    if list(paths) != sorted(set(paths)):
        raise InvalidInput("The files are not in ascending order of their paths, or a path occurs twice.")


def _entry(entry: Mapping[str, Any]) -> Entry:
    path, digest, size, salt = (entry.get(name) for name in ("path", "sha256", "size", "salt"))
    if not isinstance(path, str) or not isinstance(digest, str) or not isinstance(salt, str | None):
        raise InvalidInput("A file's entry has a path, a sha256 and a size, and may have a salt.")
    if size is not None and type(size) is not int:
        raise InvalidInput(f"The size of {path!r} is a whole number or null.")
    try:
        return Entry(path, Bytes32(bytes.fromhex(digest)), size, None if salt is None else bytes.fromhex(salt))
    except ValueError as error:
        raise InvalidInput(f"The entry of {path!r} has a hash or a salt that is not hex.") from error
