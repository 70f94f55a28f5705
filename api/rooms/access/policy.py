"""The policy of a gateway on requests for access: the dataset's owner sets it by a signed statement, off the chain."""

from __future__ import annotations

from functools import partial
from typing import Final

import orjson
from fastapi import APIRouter, Response

from api.deps import NodeDep, in_thread
from api.problems import CONFLICT, INVALID, NOT_FOUND, documented, invalid
from api.rooms.access import answers
from api.rooms.access.bodies import RequestPolicySubmission
from api.rooms.datasets.ids import FullId, IdPrefix
from api.rooms.datasets.reads import queries_of
from api.rooms.datasets.statements import RESPONSES, accept, now, take_statement
from api.strict import StrictRoute
from registry.base.primitives import DatasetId
from registry.node import Node
from registry.relay.intake import Write
from registry.rooms.access import policies
from registry.rooms.access.statements import RequestPolicy

MAX_AHEAD_SECONDS: Final = 300
"""How far ahead a signer's clock may be. Before that time, a later owner could not replace the policy."""

router = APIRouter(tags=["documents"], route_class=StrictRoute)


@router.post(
    RequestPolicy.PATH,
    summary="Accept or refuse requests for access",
    operation_id="setRequestPolicy",
    response_model=answers.RequestPolicyAnswer,
    responses=RESPONSES,
)
async def set_request_policy(dataset_id: FullId, body: RequestPolicySubmission, node: NodeDep) -> Response:
    """Set whether this gateway accepts requests for access to a dataset. The contract itself always accepts them."""

    def checked() -> Write:
        _require_issued(body.message, now(node))
        return partial(policies.set_request_policy, accepted=accept(node, body.message, body.signature_bytes))

    return await take_statement(node, dataset_id, body, checked, partial(_policy, node, dataset_id))


@router.get(
    RequestPolicy.PATH,
    summary="Whether it accepts requests for access",
    operation_id="requestPolicy",
    response_model=answers.RequestPolicyAnswer,
    responses=documented(NOT_FOUND, CONFLICT, INVALID),
)
async def request_policy(dataset_id: IdPrefix, node: NodeDep) -> Response:
    """Return whether this gateway accepts requests for access to a dataset, and how many may be open."""
    return await in_thread(lambda: _policy(node, queries_of(node).resolve(dataset_id)))


def _require_issued(statement: RequestPolicy, time: float) -> None:
    if statement.issued_at > time + MAX_AHEAD_SECONDS:
        raise invalid(
            "body.message.issuedAt",
            f"it is {statement.issued_at}, and the chain's time is {int(time)}: no policy could replace it before",
            hint="Sign the policy with the current time, in whole seconds since 1970 (UTC).",
        )


def _policy(node: Node, dataset_id: DatasetId) -> Response:
    with node.storage.read() as connection:
        accepted = policies.accepts_requests(connection, dataset_id)
    body = {"datasetId": str(dataset_id), "accepted": accepted, "maxOpen": node.settings.max_open_requests}
    return Response(orjson.dumps(body), media_type="application/json")
