"""Checking statements: by the dataset's owner, and in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from registry.base.primitives import Address, Bytes32
from registry.chain.client import Chain
from registry.documents.deposit import put_documents
from registry.ethereum.eip712 import Domain
from registry.ethereum.refusals import SHARED
from registry.manifest import Manifest
from registry.relay.authority import approves, has_code, not_by, owner_of
from registry.relay.signatures import normal_form, recover
from registry.rooms.datasets.errors import unknown
from registry.rooms.deployment import Deployment
from registry.statements.messages import AnyStatement, Publication
from registry.statements.store import Accepted, AnyAccepted, lock_documents, publish


def accept(
    chain: Chain,
    deployment: Deployment,
    statement: AnyAccepted,
    signature: bytes,
    now: float,
    per_hour: int,
    registrant: Address | None = None,
) -> Accepted[AnyAccepted]:
    """Check a statement; nothing is kept yet.

    Args:
        chain: The chain.
        deployment: The contracts.
        statement: The statement.
        signature: ECDSA in any of its forms, or what the owner's contract takes (ERC-1271).
        now: Unix seconds.
        per_hour: How many of its kind the owner may make about the dataset in an hour.
        registrant: The owner named by the registration that comes with it, where the dataset may not exist yet.

    Raises:
        ContractRefused: The deadline has passed, there is no such dataset, or the signature is not its owner's; the
            error is the one that a contract would give.
        ChainUnavailable: No usable answer came.
    """
    if statement.deadline < now:
        raise SHARED.refusal_of("DeadlinePassed", deadline=statement.deadline, blockTimestamp=int(now))
    owner = owner_of(chain, deployment, statement.dataset_id) or registrant
    if owner is None:
        raise unknown(statement.dataset_id)
    digest = digest_of(deployment, statement)
    return Accepted(statement, digest, _signed_by(chain, owner, digest, signature), owner, now, per_hour)


def digest_of(deployment: Deployment, statement: AnyStatement) -> Bytes32:
    """Return what is signed for a statement."""
    contract = deployment.address_of(statement.CONTRACT)
    return statement.digest(Domain(statement.CONTRACT, deployment.chain_id, contract))


def keeping(
    accepted: Accepted[Publication], metadata: Mapping[str, Any] | None, manifest: Manifest | None
) -> Callable[[Connection], None]:
    """Return what keeps documents and makes them public, in one database transaction.

    Args:
        accepted: The publication as it was accepted.
        metadata: The metadata that it names, if it names any.
        manifest: The manifest that it names, if it names one.
    """

    def write(connection: Connection) -> None:
        lock_documents(connection, accepted.statement.documents)
        put_documents(connection, metadata=metadata, manifest=manifest)
        publish(connection, accepted)

    return write


def _signed_by(chain: Chain, owner: Address, digest: Bytes32, signature: bytes) -> bytes:
    """Return the form of a signature that is the owner's."""
    normal = normal_form(signature)
    if normal is not None and recover(digest, normal) == owner:
        return normal
    if has_code(chain, owner) and approves(chain, owner, digest, signature):
        return signature
    raise not_by(owner, digest)
