"""Check statements about a dataset against its owner."""

from __future__ import annotations

from typing import TypeVar

from registry.base.primitives import Address
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
        signature: An ECDSA signature in any of its forms, or a signature that the owner's contract accepts (ERC-1271).
        now: Unix seconds.
        per_hour: The most statements of its kind that the owner may make about the dataset in an hour.
        registrant: The owner named by the accompanying registration, if the dataset may not exist yet; otherwise None.

    Raises:
        ContractRefused: The deadline has passed, there is no such dataset, or the signature is not its owner's; the
            error is that of the contract.
        ChainUnavailable: No usable answer came.
    """
    require_in_time(statement, now)
    owner = owner_of(chain, deployment, statement.dataset_id) or registrant
    if owner is None:
        raise unknown(statement.dataset_id)
    return accept_by(chain, deployment, statement, signature, owner, now, per_hour)
