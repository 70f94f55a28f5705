"""A manifest read from its text agrees with the vectors made in JavaScript; a damaged text is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.base.errors import InvalidInput, NotFound
from registry.base.merkle import verify_inclusion
from registry.base.primitives import Bytes32
from registry.manifest.text import ManifestText

VECTORS = Path(__file__).parents[1] / "vectors" / "manifest"
VALID: list[dict[str, Any]] = json.loads((VECTORS / "valid.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VALID, ids=lambda vector: str(vector["name"]))
def test_the_leaves_and_the_root_are_the_known_ones_and_each_is_proved(vector: dict[str, Any]) -> None:
    manifest = ManifestText(vector["text"].encode())
    assert (str(manifest.root), len(manifest)) == (vector["root"], len(vector["leaves"]))
    assert manifest.to_json() == vector["text"]
    for leaf in map(str.encode, vector["leaves"]):
        path = json.loads(leaf)["path"]
        assert manifest.leaf(path) == leaf
        verify_inclusion(leaf, manifest.proof(path), Bytes32.parse(vector["root"]))
    for unknown in ("", "zzz", f"{json.loads(vector['leaves'][0])['path']}x"):
        with pytest.raises(NotFound):
            manifest.leaf(unknown)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text.replace(b"\n", b""),
        lambda text: text[:-4],
        lambda text: text.replace(b'"size":', b'"size":1', 1),
        lambda text: text.replace(b'"root":"0x', b'"root":"0x00', 1),
    ],
    ids=["empty", "one line", "cut", "another size", "another root"],
)
def test_a_text_that_is_not_as_it_was_kept_is_refused(damage: Any) -> None:
    text = max((vector["text"] for vector in VALID), key=len).encode()
    with pytest.raises(InvalidInput):
        ManifestText(damage(text))
