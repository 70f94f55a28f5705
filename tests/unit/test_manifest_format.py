"""The text form of manifests against vectors made in JavaScript, and operations on manifests in memory."""

from __future__ import annotations

import itertools
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from registry.base.errors import InvalidInput, NotFound, VerificationFailed
from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.manifest import Entry, Manifest, Mismatch, compare, normalise_path, verify_entry

VECTORS = Path(__file__).parents[1] / "vectors" / "manifest"
VALID: list[dict[str, Any]] = json.loads((VECTORS / "valid.json").read_text("utf-8"))
INVALID: list[dict[str, str]] = json.loads((VECTORS / "invalid.json").read_text("utf-8"))

ONE = Bytes32(b"\1" * 32)
TWO = Bytes32(b"\2" * 32)

names = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and not (len(name) == 2 and name[1] == ":")
)
raw_paths = st.lists(names, min_size=1, max_size=4).map("/".join)
salts = st.none() | st.binary(min_size=16, max_size=16)
sizes = st.none() | st.integers(0, 2**53 - 1)
digests = st.binary(min_size=32, max_size=32).map(Bytes32)


def fields(entry: Entry) -> dict[str, object]:
    """An entry as the object that its leaf is the canonical JSON of."""
    salt = {} if entry.salt is None else {"salt": entry.salt.hex()}
    return {"path": entry.path, "sha256": entry.sha256.hex(), "size": entry.size, **salt}


@pytest.mark.parametrize("vector", VALID, ids=lambda vector: str(vector["name"]))
def test_a_valid_manifest_has_the_known_leaves_root_and_text(vector: dict[str, Any]) -> None:
    manifest = Manifest.parse(vector["text"])
    assert [entry.leaf.decode() for entry in manifest.entries] == vector["leaves"]
    assert str(manifest.root) == vector["root"]
    assert manifest.to_json() == vector["text"]


@pytest.mark.parametrize("vector", VALID, ids=lambda vector: str(vector["name"]))
def test_a_manifest_reads_the_same_from_text_bytes_and_object(vector: dict[str, Any]) -> None:
    manifest = Manifest.parse(vector["text"])
    assert Manifest.parse(vector["text"].encode()) == manifest
    assert Manifest.parse(json.loads(vector["text"])) == manifest


@pytest.mark.parametrize("vector", INVALID, ids=lambda vector: vector["name"])
def test_an_invalid_manifest_is_refused_and_the_fault_named(vector: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Manifest.parse(vector["text"])
    assert vector["names"] in refusal.value.message


@pytest.mark.parametrize("source", [b"\xff", "{}".encode("utf-16"), b'{"format":"\xff"}'])
def test_bytes_that_are_no_utf8_object_are_refused(source: bytes) -> None:
    with pytest.raises(InvalidInput):
        Manifest.parse(source)


def test_an_object_with_keys_that_are_no_strings_is_refused() -> None:
    document = {**json.loads(VALID[0]["text"]), 5: None}
    with pytest.raises(InvalidInput, match="unknown field 5"):
        Manifest.parse(document)


def test_no_error_and_no_repr_prints_a_salt() -> None:
    """R10: no salt in errors."""
    salt = bytes(range(16))
    assert salt.hex() not in repr(Entry("a", ONE, 1, salt))
    assert repr(salt) not in repr(Entry("a", ONE, 1, salt))
    text = Manifest((Entry("a", ONE, 1, salt),)).to_json()
    for old, new in [(salt.hex(), salt.hex().upper()), (salt.hex(), salt.hex() + "00"), ('"a"', '"/a"')]:
        with pytest.raises(InvalidInput) as refusal:
            Manifest.parse(text.replace(old, new))
        assert salt.hex() not in str(refusal.value).lower()


@given(raw_paths)
@example("\U0001d15e")  # composed by nothing: NFC takes it apart
@example("\u212b/K\u0327\u0301")
def test_normalising_a_path_twice_is_normalising_it_once(path: str) -> None:
    """R8: normalising is idempotent."""
    once = normalise_path(path)
    assert once == unicodedata.normalize("NFC", path)
    assert normalise_path(once) == once


@given(raw_paths.map(normalise_path), digests, sizes, salts)
def test_a_leaf_is_what_an_rfc_8785_library_makes_of_the_entry(
    path: str, digest: Bytes32, size: int | None, salt: bytes | None
) -> None:
    entry = Entry(path, digest, size, salt)
    assert entry.leaf == rfc8785.dumps(fields(entry))  # type: ignore[arg-type]


@given(st.lists(raw_paths.map(normalise_path), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_manifest_depends_on_its_files_and_not_on_their_order(paths: list[str], random: Any) -> None:
    """R8: no two entries collide under NFC + casefold; the root does not depend on walk order."""
    entries = [Entry(path, ONE, 1) for path in paths]
    try:
        manifest = Manifest.of(entries)
    except InvalidInput:
        assert collide(paths)
        return
    assert not collide(paths)
    random.shuffle(entries)
    assert Manifest.of(entries).root == manifest.root
    assert [entry.path.encode() for entry in manifest.entries] == sorted(path.encode() for path in paths)
    assert Manifest.parse(manifest.to_json()) == manifest


def collide(paths: list[str]) -> bool:
    """Whether two files, two folders, or a file and a folder have one name under NFC + casefold, by all pairs."""

    def fold(name: str) -> str:
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())

    folders = {path[:at] for path in paths for at, char in enumerate(path) if char == "/"}
    spelled = [(path, "file") for path in paths] + [(folder, "folder") for folder in folders]
    return any(fold(one) == fold(other) for (one, _), (other, _) in itertools.combinations(spelled, 2))


def test_every_file_is_proven_under_the_root() -> None:
    manifest = Manifest.parse(VALID[-1]["text"])
    for entry in manifest.entries:
        verify_entry(entry, manifest.proof(entry.path), manifest.root)


def test_a_file_with_another_hash_size_path_or_salt_is_not_proven() -> None:
    entry = Entry("a", ONE, 1, b"\1" * 16)
    manifest = Manifest((entry, Entry("b", ONE, 1, b"\2" * 16)))
    proof = manifest.proof("a")
    for forged in (
        Entry("a", TWO, 1, b"\1" * 16),
        Entry("a", ONE, 2, b"\1" * 16),
        Entry("a", ONE, None, b"\1" * 16),
        Entry("c", ONE, 1, b"\1" * 16),
        Entry("a", ONE, 1, b"\2" * 16),
        Entry("a", ONE, 1, None),
    ):
        with pytest.raises(VerificationFailed):
            verify_entry(forged, proof, manifest.root)
    with pytest.raises(VerificationFailed):
        verify_entry(entry, proof, ZERO_BYTES32)


def test_a_path_that_is_not_listed_is_not_found() -> None:
    manifest = Manifest((Entry("b", ONE, 1),))
    assert manifest.entry("b").sha256 == ONE
    for path in ("a", "c", ""):
        with pytest.raises(NotFound, match="lists no file"):
            manifest.entry(path)
        with pytest.raises(NotFound, match="lists no file"):
            manifest.proof(path)


def test_the_total_size_is_the_sum_or_not_known() -> None:
    assert Manifest((Entry("a", ONE, 0), Entry("b", ONE, 5))).total_size == 5
    assert Manifest((Entry("a", ONE, 0),)).total_size == 0
    assert Manifest((Entry("a", ONE, None),)).total_size is None


def test_salting_gives_each_file_its_own_salt_and_another_root() -> None:
    manifest = Manifest((Entry("a", ONE, 1), Entry("b", ONE, 1)))
    salted = manifest.salted()
    assert salted.is_private
    assert not manifest.is_private
    assert salted.root != manifest.root != manifest.salted().root != salted.root
    assert len({entry.salt for entry in salted.entries}) == 2
    assert compare(manifest, salted) == ()


def test_without_sizes_is_the_manifest_of_the_hashes_only() -> None:
    manifest = Manifest((Entry("a", ONE, 1), Entry("b", TWO, 1)))
    assert manifest.without_sizes() == Manifest((Entry("a", ONE, None), Entry("b", TWO, None)))


@pytest.mark.parametrize("size", [-1, 2**53])
def test_an_entry_with_an_impossible_size_is_refused(size: int) -> None:
    with pytest.raises(InvalidInput, match="size of 'a'"):
        Entry("a", ONE, size)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_an_entry_with_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match="salt of 'a'"):
        Entry("a", ONE, 1, bytes(length))


def test_comparison_tells_changed_missing_and_extra_files() -> None:
    same, gone, new = Entry("same", ONE, 1), Entry("gone", ONE, 1), Entry("new", ONE, 1)
    before, after = Entry("changed", ONE, 1), Entry("changed", TWO, 1)
    mismatches = compare(Manifest.of([same, gone, before]), Manifest.of([same, new, after]))
    assert mismatches == (
        Mismatch("changed", before, after),
        Mismatch("gone", gone, None),
        Mismatch("new", None, new),
    )
    assert [mismatch.kind for mismatch in mismatches] == ["changed", "missing", "extra"]


def test_comparison_of_equal_manifests_is_empty_and_salts_do_not_count() -> None:
    plain = Manifest((Entry("a", ONE, 1),))
    assert compare(plain, plain) == ()
    assert compare(plain, plain.salted()) == ()


def test_comparison_of_sizes_counts_only_where_both_are_known() -> None:
    assert compare(Manifest((Entry("a", ONE, None),)), Manifest((Entry("a", ONE, 1),))) == ()
    assert compare(Manifest((Entry("a", ONE, 1),)), Manifest((Entry("a", ONE, None),))) == ()
    assert len(compare(Manifest((Entry("a", ONE, 1),)), Manifest((Entry("a", ONE, 2),)))) == 1
    assert len(compare(Manifest((Entry("a", ONE, None),)), Manifest((Entry("a", TWO, 1),)))) == 1
