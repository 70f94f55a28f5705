"""Send messages about datasets, with the documents that their owner makes public."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry.base.canonical import metadata_hash
from registry.base.primitives import ZERO_BYTES32, DatasetId
from registry.cli.lazy import lazy
from registry.cli.options import Wait
from registry.cli.session import SigningSession, print_write
from registry.ethereum.eip712 import Message
from registry.manifest import Manifest
from registry.rooms.datasets.statements import Publication
from registry.sdk.models.receipts import Receipt
from registry.sdk.rooms.datasets.models import Published
from registry.sdk.rooms.datasets.operations import dataset

if TYPE_CHECKING:
    from registry.cli import rehearsal
else:
    rehearsal = lazy("registry.cli.rehearsal")


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


def write(
    session: SigningSession,
    message: Message,
    fields: Mapping[str, object],
    *,
    dry_run: bool,
    wait: Wait | None,
    as_json: bool,
    before_signing: Callable[[], None] | None = None,
) -> None:
    """Sign a message about a dataset, send it and print the outcome; in a dry run only rehearse it and print it.

    Args:
        session: The session.
        message: The message.
        fields: Further fields to print, by their JSON names.
        dry_run: Whether nothing is signed or sent.
        wait: What to wait for; None: nothing.
        as_json: Whether to print JSON.
        before_signing: Called before the message is signed; an error that it raises ends the command.

    Raises:
        RegistryError: As `registry.cli.rehearsal.show_message` and `send` do.
    """
    if dry_run:
        rehearsal.show_message(session, message, fields, as_json=as_json)
        return
    if before_signing is not None:
        before_signing()
    print_write(session, send(session, message, wait=wait), message, fields, as_json=as_json)


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
