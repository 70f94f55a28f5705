"""A dataset as catalogues list it: its latest version, and the addresses of its proofs."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.manifest import Entry
from registry.rooms.datasets.caip import Namer
from registry.rooms.datasets.messages import Source

MAX_FILES: Final = 10_000
"""The most files that a description lists; for a larger dataset it only links to the manifest."""

_IRI: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,30}:[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]{1,2000}")
_SPDX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,60}")
_WEB: Final = ("http://", "https://")
_SCHEMES: Final = (*_WEB, "ipfs://", "ipns://", "ar://", "s3://", "gs://", "ftp://", "urn:", "doi:")


@dataclass(frozen=True, slots=True)
class Listing:
    """A dataset as a catalogue lists it.

    Args:
        namer: Makes names that are unique over all chains.
        base_url: The gateway's address, ending in a slash.
        dataset_id: The dataset.
        version: The number of its latest version, the one described.
        owner: Its owner.
        is_withdrawn: Whether it is withdrawn.
        content_root: The root of the version's manifest.
        metadata_hash: SHA-256 of its metadata, or zero.
        metadata: The metadata, or empty where it is not known. It is untrusted JSON.
        uri: The address of more information, set by its owner, or empty. It is untrusted text.
        sources: What it derives from.
        registered_at: When its first version was registered, UTC.
        updated_at: When it was last changed, UTC.
        files: Its files; None where the manifest is not known, or lists more than MAX_FILES.
        total_size: The size of all files in bytes; None where it is not known.
    """

    namer: Namer
    base_url: str
    dataset_id: DatasetId
    version: int
    owner: Address
    is_withdrawn: bool
    content_root: Bytes32
    metadata_hash: Bytes32
    metadata: Mapping[str, Any]
    uri: str
    sources: tuple[Source, ...]
    registered_at: datetime
    updated_at: datetime
    files: tuple[Entry, ...] | None
    total_size: int | None

    @property
    def name(self) -> str:
        """Its name, or the first digits of its id where it has none."""
        return self.text("name") or f"Dataset {str(self.dataset_id)[:10]}"

    @property
    def description(self) -> str:
        """Its description, or a default sentence where it has none."""
        return self.text("description") or f"{self.name}, registered on chain eip155:{self.namer.chain_id}."

    @property
    def keywords(self) -> tuple[str, ...]:
        """Its keywords."""
        keywords = self.metadata.get("keywords")
        return tuple(word for word in keywords if isinstance(word, str)) if isinstance(keywords, list) else ()

    @property
    def license_iri(self) -> str | None:
        """The IRI of its licence: the metadata's own, or that of the SPDX licence with this name."""
        text = self.text("license")
        if text is None:
            return None
        if text.startswith(_WEB):
            return text if is_iri(text) else None
        return f"https://spdx.org/licenses/{text}" if _SPDX.fullmatch(text) else None

    @property
    def link(self) -> str | None:
        """The address of more information, if the one that its owner set is an IRI."""
        return self.uri if is_iri(self.uri) else None

    @property
    def page(self) -> str:
        """Its record at the gateway."""
        return f"{self.base_url}v1/datasets/{self.dataset_id}"

    @property
    def proofs(self) -> Mapping[str, str]:
        """The addresses of the gateway's proofs, by kind."""
        return {
            "evidence": f"{self.page}/evidence",
            "certificate": f"{self.page}/certificate.pdf",
            "lineage": f"{self.page}/lineage?format=json-ld",
            "manifest": f"{self.base_url}v1/manifests/{self.content_root}",
        }

    def text(self, key: str) -> str | None:
        """Return a member of the metadata that is a non-empty string, else None."""
        value = self.metadata.get(key)
        return value.strip() or None if isinstance(value, str) else None


def is_iri(text: str) -> bool:
    """Return whether a text is an absolute IRI with a scheme for data; never one that a browser would execute."""
    return _IRI.fullmatch(text) is not None and text.lower().startswith(_SCHEMES)


def media_type(path: str) -> str:
    """Return the media type for a file's name. The computer's own settings are not used."""
    return mimetypes.MimeTypes().guess_type(f"/{path.rpartition('/')[2]}")[0] or "application/octet-stream"
