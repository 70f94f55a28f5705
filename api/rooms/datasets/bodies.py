"""The bodies of writes about datasets: a signed message, and the documents that its hashes identify."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import Submission, with_example
from api.problems import invalid
from api.rooms import examples
from registry.base.canonical import canonical_json
from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.manifest import Manifest
from registry.manifest.schema import SCHEMA
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.statements import Publication, Retraction

MAX_METADATA_BYTES: Final = 64 * 2**10

AnyVersion = TypeVar("AnyVersion", Registration, Revision)


class Documents(BaseModel):
    """Documents that their owner makes public."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metadata: dict[str, Any] | None = Field(
        None, description="The metadata; the SHA-256 of its canonical JSON (RFC 8785) is the metadataHash."
    )
    manifest: dict[str, Any] | None = Field(
        None,
        description="The manifest (tdr-manifest/1) whose root is the contentRoot; without salts.",
        json_schema_extra=SCHEMA,
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the documents sent."""
        documents = {"metadata": self.metadata, "manifest": self.manifest}
        return tuple(name for name, document in documents.items() if document is not None)

    def check_metadata(self, metadata_hash: Bytes32) -> None:
        """Require that the metadata, if any was sent, has a hash.

        Raises:
            Refused: It has another hash.
        """
        if self.metadata is None:
            return
        try:
            canonical = canonical_json(self.metadata)
        except InvalidInput as error:
            raise invalid("body.metadata", error.message) from None
        if len(canonical) > MAX_METADATA_BYTES:
            raise invalid("body.metadata", f"it has {len(canonical)} bytes; the limit is {MAX_METADATA_BYTES}")
        computed = Bytes32(sha256(canonical).digest())
        if computed != metadata_hash:
            raise invalid("body.metadata", f"its hash is {computed}, but metadataHash is {metadata_hash}")

    def check_manifest(self, content_root: Bytes32) -> Manifest | None:
        """Return the manifest; None if none was sent. Takes a second if there are many files.

        Raises:
            Refused: It is malformed, private, or has another root.
        """
        if self.manifest is None:
            return None
        try:
            manifest = Manifest.parse(self.manifest)
        except InvalidInput as error:
            raise invalid("body.manifest", error.message, hint=error.hint) from None
        if manifest.root != content_root:
            raise invalid("body.manifest", f"its root is {manifest.root}, but contentRoot is {content_root}")
        if manifest.is_private:
            raise invalid("body.manifest", "it has salts, which would become public", hint="Do not send the manifest.")
        return manifest


class PublicationSubmission(Submission[Publication]):
    """A signed publication: the owner makes documents of a version public."""


class VersionSubmission(Submission[AnyVersion], Documents, Generic[AnyVersion]):
    """A message that makes a version, its signature, and the version's documents, if they may be public."""

    publication: PublicationSubmission | None = Field(
        None, description="Required with metadata or manifest: the owner's signed consent to publish them."
    )


class RegistrationSubmission(VersionSubmission[Registration]):
    """A signed registration, and the documents of the version, if they may be public."""

    model_config = with_example(examples.REGISTRATION)


class RevisionSubmission(VersionSubmission[Revision]):
    """A signed revision, and the documents of the version, if they may be public."""

    model_config = with_example(examples.REVISION)


class TitleTransferSubmission(Submission[TitleTransfer]):
    """A signed transfer of the title."""

    model_config = with_example(examples.TITLE_TRANSFER)


class WithdrawalSubmission(Submission[Withdrawal]):
    """A signed withdrawal."""

    model_config = with_example(examples.WITHDRAWAL)


class DocumentsSubmission(PublicationSubmission, Documents):
    """Documents of a version, and the signed publication of their owner."""

    model_config = with_example(examples.PUBLICATION)


class RetractionSubmission(Submission[Retraction]):
    """A signed retraction of documents."""

    model_config = with_example(examples.RETRACTION)
