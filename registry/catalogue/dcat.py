"""Describe a dataset in DCAT 3, as JSON-LD.

Source: Data Catalog Vocabulary version 3 (W3C recommendation, 2024); checksums in the terms of SPDX.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from registry.base.times import iso_datetime
from registry.catalogue.listing import Listing, media_type
from registry.manifest import Entry

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"

CONTEXT: Final[dict[str, Any]] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "tdr": "urn:tdr:",
    "xsd": _XSD,
}


def dcat(listing: Listing) -> dict[str, Any]:
    """Return the dataset's description. The context is part of it, so a reader fetches nothing."""
    namer = listing.namer
    name = namer.dataset(listing.dataset_id)
    license_iri, license_text = listing.license_iri, listing.text("license")
    described = {
        "@context": CONTEXT,
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "adms:identifier": {"@type": "adms:Identifier", "skos:notation": str(listing.dataset_id)},
        "dct:title": listing.name,
        "dct:description": listing.description,
        "dcat:keyword": list(listing.keywords) or None,
        "dct:license": None if license_iri is None else {"@id": license_iri, "@type": "dct:LicenseDocument"},
        "dct:rights": None
        if license_iri is not None or license_text is None
        else {"@type": "dct:RightsStatement", "skos:prefLabel": license_text},
        "dct:publisher": {
            "@id": namer.account(listing.owner),
            "@type": "foaf:Agent",
            "foaf:name": str(listing.owner),
        },
        "dct:issued": _time(listing.registered_at),
        "dct:modified": _time(listing.updated_at),
        "dcat:version": str(listing.version),
        "dcat:hasCurrentVersion": {"@id": namer.version(listing.dataset_id, listing.version)},
        "adms:status": {
            "@type": "skos:Concept",
            "skos:notation": "withdrawn" if listing.is_withdrawn else "active",
        },
        "dcat:landingPage": {"@id": listing.page, "@type": "foaf:Document"},
        "foaf:page": None if listing.link is None else {"@id": listing.link, "@type": "foaf:Document"},
        "prov:wasDerivedFrom": [{"@id": namer.version(source.dataset_id, source.version)} for source in listing.sources]
        or None,
        "tdr:contentRoot": str(listing.content_root),
        "tdr:metadataHash": str(listing.metadata_hash),
        "dcat:qualifiedRelation": [
            {
                "@type": "dcat:Relationship",
                "dct:relation": {"@id": url},
                "dcat:hadRole": {"@id": f"urn:tdr:{kind}", "@type": "dcat:Role"},
            }
            for kind, url in listing.proofs.items()
        ],
        "dcat:distribution": _distributions(listing),
    }
    return {key: value for key, value in described.items() if value is not None}


def _distributions(listing: Listing) -> list[dict[str, Any]]:
    access = listing.link or listing.page
    version = listing.namer.version(listing.dataset_id, listing.version)
    if listing.files is None:
        whole = {"@id": f"{version}/files", "@type": "dcat:Distribution", "dcat:accessURL": {"@id": access}}
        return [whole | _size(listing.total_size)]
    return [_distribution(entry, f"{version}/files/{number}", access) for number, entry in enumerate(listing.files, 1)]


def _distribution(entry: Entry, name: str, access: str) -> dict[str, Any]:
    return {
        "@id": name,
        "@type": "dcat:Distribution",
        "dct:title": entry.path,
        "dcat:accessURL": {"@id": access},
        "dcat:mediaType": {
            "@id": f"https://www.iana.org/assignments/media-types/{media_type(entry.path)}",
            "@type": "dct:MediaType",
        },
        **_size(entry.size),
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": entry.sha256.hex(), "@type": "xsd:hexBinary"},
        },
    }


def _size(size: int | None) -> dict[str, Any]:
    return {} if size is None else {"dcat:byteSize": {"@value": str(size), "@type": "xsd:nonNegativeInteger"}}


def _time(moment: datetime) -> dict[str, str]:
    return {"@value": iso_datetime(moment), "@type": "xsd:dateTime"}
