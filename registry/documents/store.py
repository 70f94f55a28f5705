"""Documents by their hashes. Storage only: publications decide which of them may be shown."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, Table, delete, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from registry.base.canonical import canonical_json, metadata_hash
from registry.base.primitives import Bytes32
from registry.documents.names import MAX_DESCRIPTION, MAX_NAME, named
from registry.documents.tables import MANIFEST_FILES, MANIFESTS, METADATA_DOCUMENTS
from registry.manifest.manifest import Manifest
from registry.storage.bulk import insert_rows


def put_metadata(connection: Connection, metadata: object) -> Bytes32:
    """Store metadata in canonical form. Storing it twice changes nothing.

    Args:
        connection: In a transaction that writes.
        metadata: A JSON value.

    Returns:
        Its hash: SHA-256 of the canonical form.

    Raises:
        InvalidInput: It has no canonical form.
    """
    key = metadata_hash(metadata)
    _insert_if_new(
        connection,
        METADATA_DOCUMENTS,
        {
            "metadata_hash": key,
            "body": canonical_json(metadata),
            "name": named(metadata, "name", MAX_NAME),
            "description": named(metadata, "description", MAX_DESCRIPTION),
        },
    )
    return key


def put_manifest(connection: Connection, manifest: Manifest) -> Bytes32:
    """Store a manifest, so that it can be found by each of its files. Storing it twice changes nothing.

    Args:
        connection: In a transaction that writes.
        manifest: The manifest.

    Returns:
        Its content root.
    """
    root = manifest.root
    is_new = _insert_if_new(
        connection,
        MANIFESTS,
        {
            "content_root": root,
            "body": manifest.to_json().encode(),
            "files": len(manifest.entries),
            "bytes": manifest.total_size,
        },
    )
    if is_new:
        rows = [(root, number, entry.sha256, entry.path) for number, entry in enumerate(manifest.entries)]
        insert_rows(connection, MANIFEST_FILES, ("content_root", "number", "sha256", "path"), rows)
    return root


def metadata_of(connection: Connection, key: Bytes32) -> bytes | None:
    """Return the canonical JSON of metadata, or None if it is not stored here."""
    return connection.scalar(select(METADATA_DOCUMENTS.c.body).where(METADATA_DOCUMENTS.c.metadata_hash == key))


def manifest_of(connection: Connection, root: Bytes32) -> bytes | None:
    """Return the text form of a manifest, or None if it is not stored here."""
    return connection.scalar(select(MANIFESTS.c.body).where(MANIFESTS.c.content_root == root))


def manifest_size(connection: Connection, root: Bytes32) -> int | None:
    """Return the size of a manifest's text form in bytes; None if it is not stored here."""
    return connection.scalar(select(func.length(MANIFESTS.c.body)).where(MANIFESTS.c.content_root == root))


def manifest_part(connection: Connection, root: Bytes32, start: int, count: int) -> bytes:
    """Return a part of the text form of a manifest; empty where it is no longer stored here.

    Args:
        connection: In a transaction.
        root: The content root.
        start: The offset of the first byte, from 0.
        count: The maximum number of bytes.
    """
    of_root = MANIFESTS.c.content_root == root
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        return connection.scalar(select(func.substr(MANIFESTS.c.body, start + 1, count)).where(of_root)) or b""
    # SQLite's own substr() reads the whole body into memory first.
    row = connection.scalar(select(literal_column("rowid")).select_from(MANIFESTS).where(of_root))
    if row is None:
        return b""
    with driver.blobopen(MANIFESTS.name, MANIFESTS.c.body.name, row, readonly=True) as body:
        body.seek(start)
        return body.read(count)


def erase(connection: Connection, key: Bytes32) -> None:
    """Delete the document with a hash, if it is stored here."""
    connection.execute(delete(METADATA_DOCUMENTS).where(METADATA_DOCUMENTS.c.metadata_hash == key))
    connection.execute(delete(MANIFEST_FILES).where(MANIFEST_FILES.c.content_root == key))
    connection.execute(delete(MANIFESTS).where(MANIFESTS.c.content_root == key))


def _insert_if_new(connection: Connection, table: Table, values: dict[str, object]) -> bool:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(statement).first() is not None
