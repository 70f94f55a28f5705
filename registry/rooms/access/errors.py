"""The errors of `AccessGrants`, and the refusals of the gateway about access."""

from __future__ import annotations

from typing import Final

from registry.base.errors import Conflict
from registry.ethereum.refusals import UNPROCESSABLE, Refusal

DIRECT: Final = "You can ask the contract directly: call requestAccess from your own account."

REFUSALS: tuple[Refusal, ...] = (
    Refusal("GranteeZero()", (), UNPROCESSABLE, "The grantee is the zero address, which has no key."),
    Refusal("RightsEmpty()", (), UNPROCESSABLE, "The grant or request names no right.", "Name at least one right."),
    Refusal(
        "TermEmpty(uint48,uint48)",
        ("startsAt", "expiresAt"),
        UNPROCESSABLE,
        "Access from {startsAt} until {expiresAt} would never be valid.",
        "Choose an end that is later than the start and later than now.",
    ),
    Refusal(
        "EpochMismatch(uint256,address,uint32,uint32)",
        ("datasetId", "grantee", "present", "given"),
        409,
        "The access of {grantee} to {datasetId} has changed: its epoch is {present}, but the message follows {given}.",
        "Read the current grants and sign a new message.",
    ),
    Refusal(
        "RequestsMismatch(uint256,address,uint32,uint32)",
        ("datasetId", "grantee", "present", "given"),
        409,
        "{grantee} has made {present} requests for {datasetId}, but the message follows {given}.",
        "Read the current requests and sign a new message.",
    ),
    Refusal(
        "NothingToRevoke(uint256,address)",
        ("datasetId", "grantee"),
        409,
        "{grantee} has no grant to {datasetId} that could be revoked.",
        "It was never granted, or it has already been revoked.",
    ),
)


def requests_closed() -> Conflict:
    """Return the error for a request for access to a dataset whose owner does not accept requests here."""
    return Conflict("The owner of this dataset does not accept requests for access through this gateway.", hint=DIRECT)
