"""Single files under a content root: entries impossible in an honest manifest are refused even with correct hashes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from registry.base.canonical import canonical_json
from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.merkle import MerkleTree
from registry.base.primitives import Bytes32
from registry.evidence.content import Path, path_of, require_in

ENTRY: dict[str, Any] = {"path": "a.csv", "sha256": "ab" * 32, "size": 3}


def root_of(entry: dict[str, Any], path: Path = ()) -> Bytes32:
    """The root to which an entry and a path lead, worked out here."""
    node = sha256(b"\0" + canonical_json(entry)).digest()
    for side, sibling in path:
        node = sha256(b"\1" + (sibling + node if side == "left" else node + sibling)).digest()
    return Bytes32(node)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_trees_of_all_sizes_is_found_by_its_path(size: int) -> None:
    """C10: for sizes 1 to 33, with the siblings of the tree that manifests use."""
    entries = [{"path": f"{index:02}.csv", "sha256": f"{index:064x}", "size": index} for index in range(size)]
    tree = MerkleTree(canonical_json(entry) for entry in entries)
    for index, entry in enumerate(entries):
        path = path_of(tree.proof(index))
        assert require_in(entry, path, tree.root).path == entry["path"]
        other = entries[index - 1]
        if size > 1:
            with pytest.raises(VerificationFailed):
                require_in(other, path, tree.root)
            with pytest.raises(VerificationFailed):
                require_in(entry, path[:-1], tree.root)


@pytest.mark.parametrize(
    "changed",
    [
        {"more": 1},
        {"sha256": "AB" * 32},
        {"sha256": "ab" * 31},
        {"sha256": "xy" * 32},
        {"sha256": 1},
        {"size": 3.5},
        {"size": True},
        {"size": "3"},
        {"size": -1},
        {"salt": None},
        {"salt": 1},
        {"salt": "ab" * 15},
        {"salt": "AB" * 16},
        {"path": "/a.csv"},
        {"path": 1},
    ],
)
def test_an_entry_that_no_manifest_could_have_is_refused_though_it_is_under_the_root(changed: dict[str, Any]) -> None:
    entry = ENTRY | changed
    with pytest.raises(InvalidInput):
        require_in(entry, (), root_of(entry))


def test_an_entry_without_a_size_key_is_refused_though_it_is_under_the_root() -> None:
    entry = {"path": "a.csv", "sha256": "ab" * 32}
    with pytest.raises(InvalidInput):
        require_in(entry, (), root_of(entry))


def test_a_path_longer_than_any_tree_is_refused_though_it_leads_to_the_root() -> None:
    path: Path = (("left", Bytes32(bytes(32))),) * 64
    assert require_in(ENTRY, path, root_of(ENTRY, path)).path == "a.csv"
    longer: Path = (*path, ("right", Bytes32(bytes(32))))
    with pytest.raises(InvalidInput, match="at most 64"):
        require_in(ENTRY, longer, root_of(ENTRY, longer))
