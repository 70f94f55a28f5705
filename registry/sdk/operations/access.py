"""Reading grants of access and requests for it."""

from __future__ import annotations

from registry.base.primitives import Address, DatasetId
from registry.sdk.exchange import Operation
from registry.sdk.models.access import AccessAnswer, AccessRequests, GranteeState, Grants
from registry.sdk.operations.parts import dataset_path, get


def access(dataset_id: DatasetId | str, address: Address, *, at: int | None = None) -> Operation[AccessAnswer]:
    """Return the operation that asks whether an account may use a dataset.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        address: The account.
        at: The time, Unix seconds, UTC; None: now.
    """
    return get(AccessAnswer, dataset_path(dataset_id, "access"), address=address, at=at)


def grants(dataset_id: DatasetId | str, *, grantee: Address | None = None) -> Operation[Grants]:
    """Return the operation that reads the first page of grants on a dataset, or of those to one grantee."""
    return get(Grants, dataset_path(dataset_id, "grants"), grantee=grantee)


def access_requests(dataset_id: DatasetId | str) -> Operation[AccessRequests]:
    """Return the operation that reads the first page of requests for access to a dataset."""
    return get(AccessRequests, dataset_path(dataset_id, "requests"))


def grantee(dataset_id: DatasetId, address: Address) -> Operation[GranteeState]:
    """Return the operation that reads the counters that the next message about a grantee must name."""
    return get(GranteeState, dataset_path(dataset_id, "grantees", str(address)))
