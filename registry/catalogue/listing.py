"""What catalogues are told of a dataset: its latest version, and where its proofs are."""

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
"""How many files a description lists one by one; of a larger dataset it links to the manifest."""

_IRI: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,30}:[^\s<>\"{}|\\^`\x00-\x20\x7f-\x9f]{1,2000}")
_SPDX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,60}")
_WEB: Final = ("http://", "https://")
_SCHEMES: Final = (*_WEB, "ipfs://", "ipns://", "ar://", "s3://", "gs://", "ftp://", "urn:", "doi:")


@dataclass(frozen=True, slots=True)
class Listing:
    """A dataset as a catalogue lists it.

    Args:
        namer: Gives its name, which is unique over all chains.
        base_url: The gateway's address, ending in a slash.
        dataset_id: The dataset.
        version: The number of its latest version, which is described.
        owner: Its owner.
        is_withdrawn: Whether it is withdrawn.
        content_root: The root of the version's manifest.
        metadata_hash: SHA-256 of its metadata, or zero.
        metadata: The metadata, or empty where it is not known. It is others' JSON.
        uri: Where its owner says that more is found, or empty. It is others' text.
        sources: What it derives from.
        registered_at: When its first version was registered, UTC.
        updated_at: When it was last changed, UTC.
        files: Its files; None where the manifest is not known, or lists more than MAX_FILES.
        total_size: The bytes of all files, where they are known.
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
        """Its name, or the beginning of its id where it has none."""
        return self.text("name") or f"Dataset {str(self.dataset_id)[:10]}"

    @property
    def description(self) -> str:
        """Its description, or a sentence that says what it is."""
        return self.text("description") or f"{self.name}, registered on chain eip155:{self.namer.chain_id}."

    @property
    def keywords(self) -> tuple[str, ...]:
        """Its keywords."""
        found = self.metadata.get("keywords")
        return tuple(word for word in found if isinstance(word, str)) if isinstance(found, list) else ()

    @property
    def license_iri(self) -> str | None:
        """The IRI of its licence: as it stands, or that of the SPDX licence of this name."""
        text = self.text("license")
        if text is None:
            return None
        if text.startswith(_WEB):
            return text if is_iri(text) else None
        return f"https://spdx.org/licenses/{text}" if _SPDX.fullmatch(text) else None

    @property
    def link(self) -> str | None:
        """Where its owner says that more is found, if that is an IRI."""
        return self.uri if is_iri(self.uri) else None

    @property
    def page(self) -> str:
        """Its record at the gateway."""
        return f"{self.base_url}v1/datasets/{self.dataset_id}"

    @property
    def proofs(self) -> Mapping[str, str]:
        """The gateway's proofs of it by what they are."""
        return {
            "evidence": f"{self.page}/evidence",
            "certificate": f"{self.page}/certificate.pdf",
            "lineage": f"{self.page}/lineage?format=json-ld",
            "manifest": f"{self.base_url}v1/manifests/{self.content_root}",
        }

    def text(self, key: str) -> str | None:
        """A member of the metadata that is a text and not empty, else None."""
        value = self.metadata.get(key)
        return value.strip() or None if isinstance(value, str) else None


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI of a scheme under which data is found; never one that a browser would run."""
    return _IRI.fullmatch(text) is not None and text.lower().startswith(_SCHEMES)


def media_type(path: str) -> str:
    """The media type that a file's name suggests. The computer's own settings play no part."""
    return mimetypes.MimeTypes().guess_type(f"/{path.rpartition('/')[2]}")[0] or "application/octet-stream"
