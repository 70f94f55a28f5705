"""Send messages about datasets, with the documents that their owner makes public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.base.canonical import metadata_hash
from registry.base.primitives import ZERO_BYTES32, DatasetId
from registry.cli.options import Wait
from registry.cli.session import SigningSession
from registry.ethereum.eip712 import Message
from registry.manifest import Manifest
from registry.rooms.datasets.statements import Publication
from registry.sdk.models.receipts import Receipt
from registry.sdk.rooms.datasets.models import Published
from registry.sdk.rooms.datasets.operations import dataset


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a version that its owner makes public; at least one.

    Args:
        dataset_id: The dataset.
        version: The version.
        deadline: The end of the validity of the publication's signature, Unix seconds.
        metadata: The metadata, or None.
        manifest: The manifest, without salts, or None.
    """

    dataset_id: DatasetId
    version: int
    deadline: int
    metadata: Mapping[str, Any] | None = None
    manifest: Manifest | None = None

    def publication(self) -> Publication:
        """Return the statement that makes them public."""
        return Publication(
            dataset_id=self.dataset_id,
            version=self.version,
            content_root=ZERO_BYTES32 if self.manifest is None else self.manifest.root,
            metadata_hash=ZERO_BYTES32 if self.metadata is None else metadata_hash(self.metadata),
            deadline=self.deadline,
        )

    def signed(self, session: SigningSession) -> Published:
        """Return the documents with the signed publication that makes them public."""
        return Published(session.sign(self.publication()), self.metadata, self.manifest)


def send(
    session: SigningSession, message: Message, *, wait: Wait | None, documents: Documents | None = None
) -> Receipt:
    """Sign a message about a dataset, send it, and wait until the gateway's index has it.

    Args:
        session: The session.
        message: The message.
        wait: What to wait for; None: nothing.
        documents: The documents of the version that the message makes, to be made public; or None.

    Returns:
        The receipt at the end of the wait.

    Raises:
        RegistryError: As the `send` of `registry.cli.session.SigningSession` does.
    """
    return session.send(
        message,
        wait=wait,
        members=None if documents is None else documents.signed(session).members(),
        shown_by=dataset(DatasetId(message.subject.id)),
    )
