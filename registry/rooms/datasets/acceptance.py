"""Check statements about a dataset against its owner."""

from __future__ import annotations

from typing import TypeVar

from registry.base.primitives import Address, Bytes32
from registry.chain.client import Chain
from registry.rooms.datasets.errors import unknown
from registry.rooms.datasets.ownership import owner_of
from registry.rooms.datasets.statements import DatasetStatement
from registry.rooms.deployment import Deployment
from registry.statements.service import accept_by, require_in_time
from registry.statements.store import Accepted

AnyDatasetStatement = TypeVar("AnyDatasetStatement", bound=DatasetStatement)


def accept(
    chain: Chain,
    deployment: Deployment,
    statement: AnyDatasetStatement,
    signature: bytes,
    now: float,
    per_hour: int,
    registrant: Address | None = None,
) -> Accepted[AnyDatasetStatement]:
    """Check a statement about a dataset. Nothing is stored yet.

    Args:
        chain: The chain.
        deployment: The contracts.
        statement: The statement.
        signature: ECDSA in any of its forms, or what the owner's contract accepts (ERC-1271).
        now: Unix seconds.
        per_hour: How many statements of its kind the owner may make about the dataset in an hour.
        registrant: The owner named by the registration that it came with, where the dataset may not exist yet.

    Raises:
        ContractRefused: The deadline has passed, there is no such dataset, or the signature is not its owner's; the
            error is the one that a contract would give.
        ChainUnavailable: No usable answer came.
    """
    require_in_time(statement, now)
    owner = owner_of(chain, deployment, Bytes32(statement.dataset_id)) or registrant
    if owner is None:
        raise unknown(statement.dataset_id)
    return accept_by(chain, deployment, statement, signature, owner, now, per_hour)
