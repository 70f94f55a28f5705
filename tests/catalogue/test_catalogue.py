"""Descriptions for catalogues, checked with SHACL shapes for DCAT and, if installed, Croissant's own library."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pyshacl import validate
from rdflib import RDF, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, XSD

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.catalogue import Listing, croissant, dcat
from registry.catalogue.listing import is_iri, media_type
from registry.manifest import from_digests
from registry.rooms.datasets.caip import Namer
from registry.rooms.datasets.messages import Source
from tests.fixtures.tools import need

SHAPES = Path(__file__).with_name("dcat-shapes.ttl")
CONTENT = {"measurements.csv": b"1,2\n", "说明/读我.txt": "你好\n".encode()}
MANIFEST = from_digests({path: Bytes32(sha256(content).digest()) for path, content in CONTENT.items()})
LISTING = Listing(
    namer=Namer(1337, Address(bytes(range(20)))),
    base_url="https://registry.example/",
    dataset_id=DatasetId(bytes(31) + b"\x07"),
    version=2,
    owner=Address(bytes(range(1, 21))),
    is_withdrawn=False,
    content_root=MANIFEST.root,
    metadata_hash=Bytes32(bytes(32)),
    metadata={"name": "气象 Weather", "description": "Daily.", "license": "CC-BY-4.0", "keywords": ["气象", "rain"]},
    uri="https://example.org/data?a=b&c=%20",
    sources=(Source(dataset_id=DatasetId(bytes(31) + b"\x03"), version=4),),
    registered_at=datetime(2026, 11, 23, 4, tzinfo=UTC),
    updated_at=datetime(2026, 11, 24, 4, tzinfo=UTC),
    files=tuple(replace(entry, size=len(CONTENT[entry.path])) for entry in MANIFEST.entries),
    total_size=sum(map(len, CONTENT.values())),
)
BARE = replace(LISTING, metadata={}, uri="", sources=(), files=None, total_size=None, is_withdrawn=True)
HOSTILE = replace(
    LISTING,
    metadata={
        "name": '</script>"\\\n\u202e',
        "license": "http://x y",
        "keywords": [1, {"@id": "x"}, "ok"],
        "description": 7,
    },
    uri="javascript:alert(1)",
)
SPDX = "http://spdx.org/rdf/terms#"


def triples(listing: Listing) -> Graph:
    return Graph().parse(data=json.dumps(dcat(listing)), format="json-ld")


@pytest.mark.parametrize("listing", [LISTING, BARE, HOSTILE], ids=["full", "bare", "hostile"])
def test_dcat_has_the_shape_that_catalogues_ask_for(listing: Listing) -> None:
    conforms, _, report = validate(triples(listing), shacl_graph=str(SHAPES), advanced=False)
    assert conforms, report


@pytest.mark.parametrize("member", ["dct:title", "dct:description", "dcat:distribution", "dct:publisher"])
def test_the_shapes_would_notice_what_is_missing(member: str) -> None:
    document = {key: value for key, value in dcat(LISTING).items() if key != member}
    graph = Graph().parse(data=json.dumps(document), format="json-ld")
    assert not validate(graph, shacl_graph=str(SHAPES))[0]


def test_dcat_gives_each_file_its_checksum_and_size() -> None:
    graph = triples(LISTING)
    found = {}
    for file in graph.subjects(RDF.type, DCAT.Distribution):
        checksum = graph.value(file, URIRef(f"{SPDX}checksum"))
        assert graph.value(checksum, URIRef(f"{SPDX}algorithm")) == URIRef(f"{SPDX}checksumAlgorithm_sha256")
        found[str(graph.value(file, DCTERMS.title))] = (
            str(graph.value(checksum, URIRef(f"{SPDX}checksumValue"))).lower(),
            int(str(graph.value(file, DCAT.byteSize))),
        )
    assert found == {path: (sha256(content).hexdigest(), len(content)) for path, content in CONTENT.items()}


def test_dcat_names_the_dataset_by_chain_contract_and_token() -> None:
    graph = triples(LISTING)
    (dataset,) = graph.subjects(RDF.type, DCAT.Dataset)
    assert str(dataset).startswith("eip155:1337/erc721:0x")
    assert str(dataset).endswith("/7")
    assert (dataset, DCTERMS.issued, Literal("2026-11-23T04:00:00Z", datatype=XSD.dateTime)) in graph
    assert (dataset, DCTERMS.license, URIRef("https://spdx.org/licenses/CC-BY-4.0")) in graph
    roles = {str(role) for role in graph.objects(None, DCAT.hadRole)}
    assert roles == {"urn:tdr:evidence", "urn:tdr:certificate", "urn:tdr:lineage", "urn:tdr:manifest"}


def test_what_is_no_iri_never_stands_as_one() -> None:
    text = json.dumps(dcat(HOSTILE)) + json.dumps(croissant(HOSTILE))
    assert "javascript:" not in text
    assert '"@id": "http://x y"' not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.org/a%20b", True), ("ipfs://bafy", True), ("urn:nbn:de:101:1-201102033592", True),
        ("", False), ("javascript:alert(1)", False), ("data:text/html,x", False), ("https://a b", False),
        ("https://a\n", False), ('https://a"b', False), ("//example.org", False), ("HTTPS://EXAMPLE.ORG/x", True),
    ],
)  # fmt: skip
def test_an_iri_is_absolute_and_of_a_scheme_of_data(text: str, expected: bool) -> None:
    assert is_iri(text) is expected


def test_the_media_type_follows_from_the_name() -> None:
    assert media_type("a/b.csv") == "text/csv"
    assert media_type("a.b/noextension") == "application/octet-stream"


def test_croissant_lists_the_files_with_their_hashes() -> None:
    document: dict[str, Any] = croissant(LISTING)
    files = {file["name"]: file["sha256"] for file in document["distribution"]}
    assert files == {path: sha256(content).hexdigest() for path, content in CONTENT.items()}
    assert document["license"] == "https://spdx.org/licenses/CC-BY-4.0"


@pytest.mark.parametrize("listing", [LISTING, HOSTILE], ids=["full", "hostile"])
def test_croissants_own_library_accepts_the_description(listing: Listing, tmp_path: Path) -> None:
    need("MLCROISSANT" in os.environ, "The variable MLCROISSANT names no mlcroissant command; `make test` sets it.")
    file = tmp_path / "croissant.json"
    file.write_text(json.dumps(croissant(listing)))
    done = subprocess.run(
        [os.environ["MLCROISSANT"], "validate", "--jsonld", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Done." in done.stderr
    assert "WARNING" not in done.stderr
