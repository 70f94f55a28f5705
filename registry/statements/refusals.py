"""What an owner's or the operator's decision refuses, in the words that the gateway and a dry run share."""

from __future__ import annotations

from typing import Final

from registry.base.errors import Conflict

DIRECT: Final = "The contract can be asked directly: send requestAccess from your own account."


def requests_closed() -> Conflict:
    """Return the refusal of a request for access to a dataset that its owner has closed to them."""
    return Conflict("The owner of this dataset takes no requests for access through this gateway.", hint=DIRECT)


def withheld(reason: object) -> Conflict:
    """Return the refusal of a document that the operator withholds.

    Args:
        reason: Why, in the operator's words.
    """
    return Conflict(
        f"The operator of this gateway withholds this document: {reason}",
        hint="Ask the operator; proofs and the registration are not touched by it.",
    )
