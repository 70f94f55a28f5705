"""The errors with which `AccessGrants` refuses."""

from __future__ import annotations

from typing import Final

from registry.base.errors import Conflict
from registry.ethereum.refusals import UNPROCESSABLE, Refusal

DIRECT: Final = "The contract can be asked directly: send requestAccess from your own account."

REFUSALS: tuple[Refusal, ...] = (
    Refusal("GranteeZero()", (), UNPROCESSABLE, "The grantee is the zero address, which nobody holds."),
    Refusal("RightsEmpty()", (), UNPROCESSABLE, "No right is named.", "Name at least one right."),
    Refusal(
        "TermEmpty(uint48,uint48)",
        ("startsAt", "expiresAt"),
        UNPROCESSABLE,
        "Access from {startsAt} until {expiresAt} would never hold.",
        "Let it end later than it starts, and later than now.",
    ),
    Refusal(
        "EpochMismatch(uint256,address,uint32,uint32)",
        ("datasetId", "grantee", "present", "given"),
        409,
        "The access of {grantee} to {datasetId} has changed: its epoch is {present}, but the message follows {given}.",
        "Look at the grants as they are now, and sign a new message.",
    ),
    Refusal(
        "RequestsMismatch(uint256,address,uint32,uint32)",
        ("datasetId", "grantee", "present", "given"),
        409,
        "{grantee} has made {present} requests for {datasetId}, but the message follows {given}.",
        "Look at the requests as they are now, and sign a new message.",
    ),
    Refusal(
        "NothingToRevoke(uint256,address)",
        ("datasetId", "grantee"),
        409,
        "{grantee} has no grant to {datasetId} that could be revoked.",
        "None was given, or it has been revoked already.",
    ),
)


def requests_closed() -> Conflict:
    """Return the refusal of a request for access to a dataset whose owner accepts no requests here."""
    return Conflict("The owner of this dataset takes no requests for access through this gateway.", hint=DIRECT)
