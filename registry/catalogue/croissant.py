"""Describe a dataset in Croissant, the format of machine-learning datasets.

The context is the one that the format prescribes. Paths are relative to the dataset's folder.

Source: Croissant format specification 1.0 (MLCommons).
"""

from __future__ import annotations

from typing import Any, Final

from registry.catalogue.listing import Listing, media_type
from registry.manifest import Entry

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.0"
_CR: Final = ("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet",
              "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
              "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
              "transform")  # fmt: skip

CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _CR},
    "tdr": "urn:tdr:",
}


def croissant(listing: Listing) -> dict[str, Any]:
    """Return the dataset's description. It lists the files but does not read them, so it has no record sets."""
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "@id": listing.namer.dataset(listing.dataset_id),
        "conformsTo": CONFORMS_TO,
        "identifier": listing.namer.dataset(listing.dataset_id),
        "name": listing.name,
        "description": listing.description,
        "url": listing.link or listing.page,
        "license": listing.license_iri or listing.text("license"),
        "keywords": list(listing.keywords) or None,
        "version": f"{listing.version}.0.0",
        "datePublished": listing.registered_at.strftime("%Y-%m-%d"),
        "dateModified": listing.updated_at.strftime("%Y-%m-%d"),
        "publisher": {
            "@type": "sc:Organization",
            "@id": listing.namer.account(listing.owner),
            "name": str(listing.owner),
        },
        "isBasedOn": [listing.namer.version(source.dataset_id, source.version) for source in listing.sources] or None,
        "creativeWorkStatus": "withdrawn" if listing.is_withdrawn else None,
        "subjectOf": [
            {"@type": "sc:DigitalDocument", "name": kind, "url": url} for kind, url in listing.proofs.items()
        ],
        "tdr:contentRoot": str(listing.content_root),
        "tdr:metadataHash": str(listing.metadata_hash),
        "distribution": [_file(number, entry) for number, entry in enumerate(listing.files or (), 1)],
    }
    return {key: value for key, value in described.items() if value is not None}


def _file(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"file-{number}",
        "name": entry.path,
        "contentUrl": entry.path,
        "encodingFormat": media_type(entry.path),
        "sha256": entry.sha256.hex(),
        **({} if entry.size is None else {"contentSize": f"{entry.size} B"}),
    }
