"""The methods of a client about access to datasets."""

from __future__ import annotations

from registry.sdk.exchange import ask, whole_list
from registry.sdk.methods import AnyClient_co, Method, RoomClient
from registry.sdk.rooms.access import operations


class Access(RoomClient[AnyClient_co]):
    """Grants of access to datasets, and requests for it."""

    grants = Method(operations.grants, whole_list)
    requests = Method(operations.requests, whole_list)
    grantee = Method(operations.grantee, ask)
    check = Method(operations.check, ask)
    request_policy = Method(operations.request_policy, ask)
    set_request_policy = Method(operations.set_request_policy, ask)
