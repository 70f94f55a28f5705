"""Making documents public: only by the signed word of the dataset's owner."""

from __future__ import annotations

from typing import Any, Final

from api.bodies import Documents, Submission, VersionSubmission
from api.problems import invalid
from registry.base.primitives import ZERO_BYTES32, Address
from registry.node import Node
from registry.relay.intake import Write
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets import acceptance
from registry.rooms.datasets.acceptance import AnyDatasetStatement
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import Registration, Revision
from registry.rooms.datasets.publications import keeping
from registry.rooms.datasets.statements import Publication
from registry.statements.service import digest_of
from registry.statements.store import Accepted, is_kept

MAX_AHEAD_SECONDS: Final = 300
"""How far a clock may be ahead that dates a policy. Until that time has come, an owner to come could not replace it."""


def accept(
    node: Node, statement: AnyDatasetStatement, signature: bytes, registrant: Address | None = None
) -> Accepted[AnyDatasetStatement]:
    """Check a statement by the chain's time, or by this machine's where the chain's is not known.

    Args:
        node: The node.
        statement: The statement.
        signature: Its signature.
        registrant: The owner by the registration that it comes with, where the dataset may not exist yet.
    """
    now = node.chain_time() or node.clock()
    if isinstance(statement, RequestPolicy) and statement.issued_at > now + MAX_AHEAD_SECONDS:
        raise invalid(
            "body.message.issuedAt",
            f"it is {statement.issued_at}, but the chain's time is {int(now)}: until then none could replace it",
            hint="Sign the policy with the present time, in whole seconds since 1970 (UTC).",
        )
    per_hour = node.settings.max_statements_per_hour
    return acceptance.accept(node.chain, node.deployment, statement, signature, now, per_hour, registrant)


def documents_of(node: Node, body: VersionSubmission[Any], publication: Submission[Publication]) -> Write | None:
    """Check the documents that came with a version and their publication; return what keeps them.

    A publication that was accepted before has had its effect, and nothing is left to do: a request that is repeated
    after its deadline, or after the documents were hidden, gets the answer that it got.

    Raises:
        Refused: The publication is of another version or other documents, or a document is not what was signed.
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
                f"body.publication.message.{name}", f"it is {statement.to_json()[name]}, but by what was sent {value}"
            )
    with node.storage.read() as connection:
        if is_kept(connection, digest_of(node.deployment, statement)):
            return None
    registrant = message.owner if isinstance(message, Registration) else None
    return publication_of(node, statement, publication.signature_bytes, body, registrant)


def publication_of(
    node: Node, statement: Publication, signature: bytes, documents: Documents, registrant: Address | None = None
) -> Write:
    """Check a publication and its documents; return what keeps them.

    Args:
        node: The node.
        statement: The publication.
        signature: Its signature.
        documents: The documents.
        registrant: The owner by the registration that it comes with, where the dataset may not exist yet.
    """
    accepted = accept(node, statement, signature, registrant)
    documents.check_metadata(statement.metadata_hash)
    return keeping(accepted, documents.metadata, documents.check_manifest(statement.content_root))
