"""`GET /v1/datasets/{id}/dcat` and `/croissant`, and `tdr describe`, through a real node."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import Graph

from registry.base.canonical import metadata_hash
from registry.base.primitives import Bytes32, DatasetId
from registry.manifest import from_digests
from tests.api.world import Gateway, open_node, running
from tests.catalogue.test_catalogue import SHAPES
from tests.fixtures.commands import tdr_here, yes

FILES = from_digests({path: Bytes32(sha256(path.encode()).digest()) for path in ("a.csv", "企鹅.csv")})
METADATA = {"name": "企鹅", "license": "CC0-1.0", "keywords": ["bird"]}


@pytest.fixture(scope="module")
def described(gateway: Gateway) -> DatasetId:
    message = gateway.registration(content_root=FILES.root, metadata_hash=metadata_hash(METADATA), uri="ipfs://bafy")
    gateway.settle(message, metadata=METADATA, manifest=json.loads(FILES.to_json()))
    return message.dataset_id


@pytest.mark.parametrize("form", ["dcat", "croissant"])
def test_a_dataset_is_described_with_its_files_and_links_that_work(
    gateway: Gateway, described: DatasetId, form: str
) -> None:
    answer = gateway.http.get(f"/v1/datasets/{described}/{form}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/ld+json")
    document = answer.json()
    text = json.dumps(document, ensure_ascii=False)
    assert all(entry.sha256.hex() in text and entry.path in text for entry in FILES.entries)
    base = str(gateway.http.base_url)
    links = {word for word in json.dumps(document).split('"') if word.startswith(base)}
    assert len(links) >= 4
    for link in links:
        assert gateway.http.get(link).status_code == 200, link


def test_a_dataset_without_documents_is_described_by_its_hashes(gateway: Gateway) -> None:
    dataset_id = gateway.register()
    document = gateway.http.get(f"/v1/datasets/{dataset_id}/dcat").json()
    conforms, _, report = validate(Graph().parse(data=json.dumps(document), format="json-ld"), shacl_graph=str(SHAPES))
    assert conforms, report
    assert gateway.http.get(f"/v1/datasets/{dataset_id}/croissant").json()["distribution"] == []


def test_tdr_describe_prints_the_document(gateway: Gateway, described: DatasetId) -> None:
    url = str(gateway.http.base_url).rstrip("/")
    for form in ("dcat", "croissant"):
        done = tdr_here("describe", str(described)[:12], "--gateway", url, "--format", form)
        assert yes(done) == gateway.http.get(f"/v1/datasets/{described}/{form}").json()


def test_an_unknown_dataset_is_not_found(gateway: Gateway) -> None:
    assert gateway.http.get(f"/v1/datasets/0x{'00' * 32}/dcat").status_code == 404


def test_links_lead_where_the_operator_says_and_not_where_the_asker_says(tmp_path: Path) -> None:
    """A request may name any host; addresses in answers must not use it."""
    told = "https://registry.example.org/data"
    with open_node(tmp_path, public_url=told) as node, running(node) as found:
        url = f"/v1/datasets/{found.register()}"
        document = found.http.get(f"{url}/dcat", headers={"host": "attacker.example"}).text
    assert f'"{told}/v1/datasets/' in document
    assert "attacker" not in document
