"""Choose what of a version's content a bundle shows."""

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
        files: The paths of single files to show instead of the whole manifest; empty: show the whole.
        metadata: The version's metadata, or None.
        version: The version; None: the latest.
    """

    manifest: Listing | None = None
    files: Sequence[str] = ()
    metadata: dict[str, Any] | None = None
    version: int | None = None


NOTHING = ContentSelection()


def content_of(shown: ContentSelection, versions: Sequence[VersionHashes]) -> form.Content | None:
    """Return what a bundle shows of a version's content.

    Args:
        shown: The selection.
        versions: The hashes of all versions, the first first.

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
            # Without content a bundle speaks of the latest version: it must not be handed out as another's.
            raise NotFound(
                f"Of version {number} there is neither a manifest to show nor metadata, so no bundle can be about it.",
                hint=f"Ask for the latest version, {latest}.",
            )
        return None
    if manifest is None and shown.files:
        raise InvalidInput("To show single files, the manifest is needed.")
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
        raise InvalidInput("A JSON object is needed here.")
    return value
