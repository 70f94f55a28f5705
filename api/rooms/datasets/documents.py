"""Publish documents, only if the dataset's owner has signed the publication."""

from __future__ import annotations

from typing import Any

from api.bodies import Submission
from api.problems import invalid
from api.rooms.datasets.bodies import Documents, VersionSubmission
from api.rooms.datasets.statements import accept
from registry.base.primitives import ZERO_BYTES32, Address
from registry.node import Node
from registry.relay.intake import Write
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import Registration, Revision
from registry.rooms.datasets.publications import keeping
from registry.rooms.datasets.statements import Publication
from registry.statements.service import digest_of
from registry.statements.store import is_kept


def documents_of(node: Node, body: VersionSubmission[Any], publication: Submission[Publication]) -> Write | None:
    """Check the documents sent with a version and their publication; return what stores them.

    A publication that was accepted before has no further effect. A request that is repeated after its deadline, or
    after the documents were hidden, gets the same answer as before.

    Raises:
        Refused: The publication is about another version or other documents, or a document is not the signed one.
        ContractRefused: It was not signed by the owner, or is too old.
    """
    message: Registration | Revision = body.message
    statement = publication.message
    expected = Publication(
        dataset_id=message.dataset_id,
        version=1 if isinstance(message, Registration) else Head(message.head).version + 1,
        content_root=ZERO_BYTES32 if body.manifest is None else message.content_root,
        metadata_hash=ZERO_BYTES32 if body.metadata is None else message.metadata_hash,
        deadline=statement.deadline,
    )
    for name, value in expected.to_json().items():
        if statement.to_json()[name] != value:
            raise invalid(
                f"body.publication.message.{name}", f"it is {statement.to_json()[name]}, but the documents have {value}"
            )
    with node.storage.read() as connection:
        if is_kept(connection, digest_of(node.deployment, statement)):
            return None
    registrant = message.owner if isinstance(message, Registration) else None
    return publication_of(node, statement, publication.signature_bytes, body, registrant)


def publication_of(
    node: Node, statement: Publication, signature: bytes, documents: Documents, registrant: Address | None = None
) -> Write:
    """Check a publication and its documents; return what stores them.

    Args:
        node: The node.
        statement: The publication.
        signature: Its signature.
        documents: The documents.
        registrant: The owner by the registration sent with it, if the dataset may not exist yet.
    """
    accepted = accept(node, statement, signature, registrant)
    documents.check_metadata(statement.metadata_hash)
    return keeping(accepted, documents.metadata, documents.check_manifest(statement.content_root))
