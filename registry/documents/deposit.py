"""Store the documents sent with a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from registry.documents.store import put_manifest, put_metadata
from registry.manifest import Manifest


def put_documents(connection: Connection, *, metadata: Mapping[str, Any] | None, manifest: Manifest | None) -> None:
    """Store the given documents, in the transaction that stores the message itself.

    Args:
        connection: In a transaction that writes.
        metadata: The metadata, or None.
        manifest: The manifest, or None.
    """
    if metadata is not None:
        put_metadata(connection, metadata)
    if manifest is not None:
        put_manifest(connection, manifest)
