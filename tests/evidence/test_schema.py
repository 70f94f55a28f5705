"""The published JSON Schemas are those of the code, and true of every file of their format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from scripts.schemas import FOLDER, rendered
from tests.evidence.stories import VECTORS

BUNDLES = sorted((VECTORS / "bundles").iterdir())
MANIFESTS = VECTORS.parent / "manifest"
BEYOND_A_SCHEMA = {
    *("decomposed accents", "lone surrogate", "not in order", "in the order of UTF-16", "a path twice"),
    *("names that differ in case", "names that differ in folded case", "folders that differ in case"),
    *("a file and a folder of one name", "a file and a folder that differ in case"),
    *("some sizes only", "some salts only", "root of other files", "file that the root does not know"),
    *("key twice", "root twice", "size with a fraction", "size with an exponent"),
}
"""Faults of a manifest that the values of a JSON document do not show, or not one by one."""


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / name).read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def readable(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return ...


def test_the_published_schemas_are_up_to_date() -> None:
    assert {path: path.read_text() for path in FOLDER.glob("*.json")} == rendered()


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.name)
def test_every_bundle_meets_the_schema_and_no_bundle_with_a_key_too_many_does(path: Path) -> None:
    schema = validator("tdr-evidence-1.json")
    document = json.loads(path.read_text())
    assert list(schema.iter_errors(document)) == []
    assert not schema.is_valid(document | {"note": "x"})


def test_every_valid_manifest_meets_the_schema() -> None:
    schema = validator("tdr-manifest-1.json")
    for vector in json.loads((MANIFESTS / "valid.json").read_text()):
        assert list(schema.iter_errors(json.loads(vector["text"]))) == [], vector["name"]


def test_the_schema_refuses_every_invalid_manifest_whose_fault_a_schema_can_see() -> None:
    schema = validator("tdr-manifest-1.json")
    vectors = json.loads((MANIFESTS / "invalid.json").read_text())
    documents = {vector["name"]: readable(vector["text"]) for vector in vectors}
    assert documents.keys() >= BEYOND_A_SCHEMA
    accepted = {name for name, document in documents.items() if document is not ... and schema.is_valid(document)}
    assert accepted - BEYOND_A_SCHEMA == set()
