"""Answers of a gateway, made from its published description (docs/openapi.json) and not from the client's models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())
BLOCK = "0x" + "cd" * 32
AS_OF: dict[str, Any] = {"asOfBlock": 9, "asOfBlockHash": BLOCK, "finalBlock": 8}


def answer_of(path: str, method: str = "get") -> Any:
    """Return a JSON answer that the description allows for an operation."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    answer = next(responses[status] for status in ("200", "202") if status in responses)
    found = example_of(answer["content"]["application/json"]["schema"])
    if path.endswith("/lineage"):
        for node in found["nodes"]:
            node["sources"] = []  # The example would derive from itself.
    return found


def row_of(path: str, rows: str = "items", **changed: Any) -> dict[str, Any]:
    """Return a row of a list that the description allows, with some fields changed."""
    return {**answer_of(path)[rows][0], **changed}


def example_of(schema: dict[str, Any]) -> Any:
    """Return a value that a schema allows; of a list one item, of alternatives the first."""
    if "$ref" in schema:
        return example_of(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for combined in ("anyOf", "oneOf", "allOf"):
        if combined in schema:
            return example_of(schema[combined][0])
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    return VALUES[schema.get("type", "null")](schema)


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "2026-11-23T04:00:00Z"
    digits = re.search(r"\{(\d+)\}\$$", schema.get("pattern", ""))
    return "0x" + "1" * int(digits[1]) if digits else "text"


VALUES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "object": lambda schema: {name: example_of(field) for name, field in schema.get("properties", {}).items()},
    "array": lambda schema: [example_of(schema["items"])],
    "string": _text,
    "integer": lambda schema: int(schema.get("minimum", 0)) + 1,
    "number": lambda schema: 0.5,
    "boolean": lambda schema: True,
    "null": lambda schema: None,
}
"""How to make a value of each type of JSON schema."""
