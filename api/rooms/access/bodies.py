"""The bodies of writes about access: a signed message."""

from __future__ import annotations

from api.bodies import Submission, with_example
from api.rooms import examples
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.access.statements import RequestPolicy


class AccessRequestSubmission(Submission[AccessRequest]):
    """A request for access, signed by the account that asks."""

    model_config = with_example(examples.ACCESS_REQUEST)


class AccessGrantSubmission(Submission[AccessGrant]):
    """A signed grant of access."""

    model_config = with_example(examples.ACCESS_GRANT)


class AccessRevocationSubmission(Submission[AccessRevocation]):
    """A signed revocation of access."""

    model_config = with_example(examples.ACCESS_REVOCATION)


class RequestPolicySubmission(Submission[RequestPolicy]):
    """A signed policy about requests for access."""

    model_config = with_example(examples.REQUEST_POLICY)
