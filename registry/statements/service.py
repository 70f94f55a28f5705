"""Check statements: signed by the owner of their subject, and before their deadline."""

from __future__ import annotations

from registry.base.primitives import Address, Bytes32
from registry.chain.client import Chain
from registry.ethereum.eip712 import Domain, Statement
from registry.ethereum.refusals import SHARED
from registry.relay.authority import approves, has_code, not_by
from registry.relay.signatures import normal_form, recover
from registry.rooms.deployment import Deployment
from registry.statements.store import Accepted, AnyStatement


def require_in_time(statement: Statement, now: float) -> None:
    """Require that the deadline of a statement has not passed.

    Args:
        statement: The statement.
        now: Unix seconds.

    Raises:
        ContractRefused: It has passed; the error is the one that a contract would give.
    """
    if statement.deadline < now:
        raise SHARED.refusal_of("DeadlinePassed", deadline=statement.deadline, blockTimestamp=int(now))


def accept_by(
    chain: Chain,
    deployment: Deployment,
    statement: AnyStatement,
    signature: bytes,
    owner: Address,
    now: float,
    per_hour: int,
) -> Accepted[AnyStatement]:
    """Check that an owner signed a statement. Nothing is stored yet.

    Args:
        chain: The chain.
        deployment: The contracts.
        statement: The statement.
        signature: ECDSA in any of its forms, or a signature that the owner's contract accepts (ERC-1271).
        owner: The owner of the statement's subject.
        now: Unix seconds.
        per_hour: How many statements of its kind the owner may make about the subject in an hour.

    Raises:
        ContractRefused: The signature is not the owner's; the error is the one that a contract would give.
        ChainUnavailable: There was no usable answer.
    """
    digest = digest_of(deployment, statement)
    return Accepted(statement, digest, _signed_by(chain, owner, digest, signature), owner, now, per_hour)


def digest_of(deployment: Deployment, statement: Statement) -> Bytes32:
    """Return the digest that the signature of a statement covers."""
    contract = deployment.address_of(statement.CONTRACT)
    return statement.digest(Domain(statement.CONTRACT, deployment.chain_id, contract))


def _signed_by(chain: Chain, owner: Address, digest: Bytes32, signature: bytes) -> bytes:
    """Return the signature of an owner in the form in which it is stored.

    Raises:
        ContractRefused: It is not the owner's.
        ChainUnavailable: There was no usable answer.
    """
    normal = normal_form(signature)
    if normal is not None and recover(digest, normal) == owner:
        return normal
    if has_code(chain, owner) and approves(chain, owner, digest, signature):
        return signature
    raise not_by(owner, digest)
