"""Documents are kept by their hashes, once, byte for byte."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import func, select

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.documents.names import MAX_NAME
from registry.documents.store import (
    erase,
    manifest_of,
    manifest_part,
    manifest_size,
    metadata_of,
    put_manifest,
    put_metadata,
)
from registry.documents.tables import MANIFEST_FILES, METADATA_DOCUMENTS
from registry.manifest import Entry, Manifest
from registry.storage import Storage


def test_metadata_comes_back_as_its_canonical_bytes(storage: Storage) -> None:
    with storage.write() as connection:
        key = put_metadata(connection, {"name": "n", "a": [1, 2.0, None]})
    with storage.read() as connection:
        body = metadata_of(connection, key)
    assert body == b'{"a":[1,2,null],"name":"n"}'
    assert key == sha256(body).digest()


def test_a_manifest_comes_back_byte_for_byte_and_each_of_its_files_finds_it(storage: Storage) -> None:
    manifest = Manifest.of([Entry("ü.csv", Bytes32(b"\x01" * 32), 5), Entry("a/b.csv", Bytes32(b"\x02" * 32), 7)])
    with storage.write() as connection:
        root = put_manifest(connection, manifest)
    with storage.read() as connection:
        assert manifest_of(connection, root) == manifest.to_json().encode()
        rows = connection.execute(select(MANIFEST_FILES.c.path, MANIFEST_FILES.c.sha256)).all()
    assert {tuple(row) for row in rows} == {(entry.path, entry.sha256) for entry in manifest.entries}


def test_a_manifest_is_read_in_parts_until_it_is_erased(storage: Storage) -> None:
    manifest = Manifest.of([Entry(f"ü{number}.csv", Bytes32(b"\x01" * 32), number) for number in range(200)])
    whole = manifest.to_json().encode()
    with storage.write() as connection:
        root = put_manifest(connection, manifest)
    with storage.read() as connection:
        assert manifest_size(connection, root) == len(whole) > 16_384
        parts = [manifest_part(connection, root, start, 5_000) for start in range(0, len(whole), 5_000)]
        assert b"".join(parts) == whole
    with storage.write() as connection:
        erase(connection, root)
    with storage.read() as connection:
        assert manifest_size(connection, root) is None
        assert manifest_part(connection, root, 5_000, 5_000) == b""


def test_keeping_a_document_twice_is_harmless(storage: Storage) -> None:
    manifest = Manifest.of([Entry("a", Bytes32(b"\x01" * 32), 5)])
    for _ in range(2):
        with storage.write() as connection:
            put_metadata(connection, {})
            put_manifest(connection, manifest)
    with storage.read() as connection:
        for table in (METADATA_DOCUMENTS, MANIFEST_FILES):
            assert connection.scalar(select(func.count()).select_from(table)) == 1


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"name": " Soil \0 map "}, "Soil   map"),
        ({"name": "x" * 1000}, "x" * MAX_NAME),
        ({"name": "  "}, None),
        ({"name": 5}, None),
        ({}, None),
        ([], None),
        ("name", None),
    ],
)
def test_a_name_is_a_text_that_both_databases_can_hold(metadata: object, name: str | None, storage: Storage) -> None:
    with storage.write() as connection:
        put_metadata(connection, metadata)
    with storage.read() as connection:
        assert connection.scalar(select(METADATA_DOCUMENTS.c.name)) == name


def test_what_has_no_canonical_form_is_refused(storage: Storage) -> None:
    with pytest.raises(InvalidInput), storage.write() as connection:
        put_metadata(connection, {"name": "\ud800"})


def test_what_is_not_kept_is_none(storage: Storage) -> None:
    with storage.read() as connection:
        assert metadata_of(connection, Bytes32(bytes(32))) is None
        assert manifest_of(connection, Bytes32(bytes(32))) is None
