"""Select the part of a version's content that a bundle shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.base.canonical import metadata_hash, read_json
from registry.base.errors import InvalidInput, NotFound
from registry.evidence import bundle as form
from registry.evidence.content import path_of
from registry.manifest.text import Listing
from registry.rooms.proof_adapter import VersionHashes


@dataclass(frozen=True, slots=True)
class ContentSelection:
    """The part of a version's content that a bundle is to show.

    Args:
        manifest: The version's manifest, or None.
        files: The paths of single files to show instead of the whole manifest; empty means the whole manifest.
        metadata: The version's metadata, or None.
        version: The version; None means the latest.
    """

    manifest: Listing | None = None
    files: Sequence[str] = ()
    metadata: dict[str, Any] | None = None
    version: int | None = None


NOTHING = ContentSelection()


def content_of(shown: ContentSelection, versions: Sequence[VersionHashes]) -> form.Content | None:
    """Return the content of a version for a bundle.

    Args:
        shown: The selection.
        versions: The hashes of all versions, ascending.

    Raises:
        NotFound: There is no such version, or no such file in the manifest.
        InvalidInput: The content is not that of the version.
    """
    manifest = shown.manifest
    latest = len(versions)
    number = shown.version or latest
    if not 1 <= number <= latest:
        raise NotFound(f"The dataset has no version {number}.")
    if manifest is None and shown.metadata is None:
        if number != latest:
            # A bundle without content is about the latest version. It must not be issued for another one.
            raise NotFound(
                f"Version {number} has neither a manifest nor metadata to show, so it cannot have a bundle.",
                hint=f"Ask for the latest version, {latest}.",
            )
        return None
    if manifest is None and shown.files:
        raise InvalidInput("The manifest is needed to show single files.")
    version = versions[number - 1]
    if manifest is not None and manifest.root != version.content_root:
        raise InvalidInput(f"The manifest has the root {manifest.root}, version {number} has {version.content_root}.")
    if shown.metadata is not None and metadata_hash(shown.metadata) != version.metadata_hash:
        raise InvalidInput(f"The metadata does not have the hash {version.metadata_hash} of version {number}.")
    return form.Content(
        files=tuple(
            form.File(entry=_object(manifest.leaf(path)), path=path_of(manifest.proof(path)))
            for path in sorted(set(shown.files))
        )
        if manifest is not None
        else (),
        manifest=_object(manifest.to_json().encode()) if manifest is not None and not shown.files else None,
        metadata=shown.metadata,
        version=number,
    )


def _object(source: bytes) -> dict[str, Any]:
    value = read_json(source)
    if not isinstance(value, dict):
        raise InvalidInput("Expected a JSON object.")
    return value
