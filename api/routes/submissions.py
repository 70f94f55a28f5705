"""Every write: a signed message in, a receipt out."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers
from api.bodies import (
    AccessGrantSubmission,
    AccessRequestSubmission,
    AccessRevocationSubmission,
    FullId,
    RegistrationSubmission,
    RevisionSubmission,
    TitleTransferSubmission,
    WithdrawalSubmission,
)
from api.strict import PublicationRoute, StrictRoute
from api.writes import RESPONSES, Intake

IntakeDep = Annotated[Intake, Depends(Intake)]

publications = APIRouter(prefix="/v1/datasets", tags=["writes"], route_class=PublicationRoute)
others = APIRouter(prefix="/v1/datasets/{dataset_id}", tags=["writes"], route_class=StrictRoute)

_WRITE: Final[dict[str, Any]] = {"status_code": 202, "response_model": answers.Receipt, "responses": RESPONSES}


@publications.post("", summary="Register a dataset", operation_id="register", **_WRITE)
async def register(body: RegistrationSubmission, intake: IntakeDep) -> Response:
    """Takes a signed registration, and optionally the documents that its hashes are of."""
    return await intake.version(body)


@publications.post("/{dataset_id}/versions", summary="Register a new version", operation_id="revise", **_WRITE)
async def revise(dataset_id: FullId, body: RevisionSubmission, intake: IntakeDep) -> Response:
    """Takes a signed revision, and optionally the documents that its hashes are of."""
    return await intake.version(body, dataset_id)


@others.post("/transfers", summary="Pass the title on", operation_id="transfer", **_WRITE)
async def transfer(dataset_id: FullId, body: TitleTransferSubmission, intake: IntakeDep) -> Response:
    """Takes a signed transfer."""
    return await intake.take(body, dataset_id)


@others.post("/withdrawals", summary="Withdraw a dataset", operation_id="withdraw", **_WRITE)
async def withdraw(dataset_id: FullId, body: WithdrawalSubmission, intake: IntakeDep) -> Response:
    """Takes a signed withdrawal."""
    return await intake.take(body, dataset_id)


@others.post("/requests", summary="Ask for access", operation_id="requestAccess", **_WRITE)
async def request_access(dataset_id: FullId, body: AccessRequestSubmission, intake: IntakeDep) -> Response:
    """Takes a request for access, signed by the one who asks."""
    return await intake.take(body, dataset_id)


@others.post("/grants", summary="Grant access", operation_id="grant", **_WRITE)
async def grant(dataset_id: FullId, body: AccessGrantSubmission, intake: IntakeDep) -> Response:
    """Takes a signed grant."""
    return await intake.take(body, dataset_id)


@others.post("/revocations", summary="Revoke access", operation_id="revoke", **_WRITE)
async def revoke(dataset_id: FullId, body: AccessRevocationSubmission, intake: IntakeDep) -> Response:
    """Takes a signed revocation."""
    return await intake.take(body, dataset_id)
