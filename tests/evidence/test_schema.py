"""The published JSON Schema of bundles is that of the model, and true of every bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from scripts.evidence_schema import SCHEMA, rendered
from tests.evidence.stories import VECTORS

BUNDLES = sorted((VECTORS / "bundles").iterdir())


def test_the_published_schema_is_up_to_date() -> None:
    assert SCHEMA.read_text() == rendered()


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.name)
def test_every_bundle_meets_the_schema_and_no_bundle_with_a_key_too_many_does(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    document = json.loads(path.read_text())
    assert list(validator.iter_errors(document)) == []
    assert not validator.is_valid(document | {"note": "x"})
