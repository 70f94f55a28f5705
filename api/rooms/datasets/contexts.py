"""The JSON-LD context that credentials name."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.answers import in_form
from api.problems import INVALID, NOT_FOUND, documented
from api.strict import StrictRoute
from registry.base.errors import NotFound
from registry.certificate.context import CONTEXT, DIGEST

MEDIA_TYPE: Final = "application/ld+json"

router = APIRouter(prefix="/contexts", tags=["provenance"], route_class=StrictRoute)

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the context.")]


@router.get(
    "/{digest}.jsonld",
    summary="The JSON-LD context of credentials",
    operation_id="context",
    response_class=Response,
    responses={
        **in_form(MEDIA_TYPE, "The context with that SHA-256."),
        **documented(NOT_FOUND, INVALID),
    },
)
async def context(digest: Digest) -> Response:
    """Return this project's terms in credentials. The address contains the document's hash, so it never changes."""
    if digest != DIGEST:
        raise NotFound(f"This gateway has no context with the SHA-256 {digest}.", hint=f"It has {DIGEST}.")
    # JSON-LD processors in browsers fetch it from pages of any origin.
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(CONTEXT, headers=headers, media_type=MEDIA_TYPE)
