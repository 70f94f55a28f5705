"""What can be asked of a gateway about access to datasets.

Each function returns the operation that does what the docstring says. `client.Access` has them as methods.
"""

from __future__ import annotations

from registry.base.primitives import Address, DatasetId
from registry.rooms.access.statements import RequestPolicy
from registry.sdk.exchange import Operation
from registry.sdk.operations.parts import get, post
from registry.sdk.rooms.access.models import AccessAnswer, AccessRequests, GranteeState, Grants, RequestPolicyState
from registry.sdk.rooms.datasets.operations import dataset_path
from registry.sdk.signing import Signed


def check(dataset_id: DatasetId | str, address: Address, *, at: int | None = None) -> Operation[AccessAnswer]:
    """Ask whether an account may use a dataset.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        address: The account.
        at: The time, Unix seconds, UTC; None: now.
    """
    return get(AccessAnswer, dataset_path(dataset_id, "access"), address=address, at=at)


def grants(dataset_id: DatasetId | str, *, grantee: Address | None = None) -> Operation[Grants]:
    """Read the grants on a dataset, or those to one grantee, also ended ones, the newest first."""
    return get(Grants, dataset_path(dataset_id, "grants"), grantee=grantee)


def requests(dataset_id: DatasetId | str) -> Operation[AccessRequests]:
    """Read the requests for access to a dataset, the newest first."""
    return get(AccessRequests, dataset_path(dataset_id, "requests"))


def grantee(dataset_id: DatasetId, address: Address) -> Operation[GranteeState]:
    """Read the counters that the next message about a dataset and a grantee must name."""
    return get(GranteeState, dataset_path(dataset_id, "grantees", str(address)))


def set_request_policy(signed: Signed[RequestPolicy]) -> Operation[RequestPolicyState]:
    """Open a dataset to requests for access, or close it to them, and read the policy in force."""
    return post(RequestPolicyState, dataset_path(signed.message.dataset_id, "request-policy"), signed.body())


def request_policy(dataset_id: DatasetId | str) -> Operation[RequestPolicyState]:
    """Ask whether the gateway accepts requests for access to a dataset."""
    return get(RequestPolicyState, dataset_path(dataset_id, "request-policy"))
