"""The rooms of the registry, one line each: which messages each contract takes, and how its logs are read."""

from __future__ import annotations

from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal

AnyMessage = Registration | Revision | TitleTransfer | Withdrawal | AccessRequest | AccessGrant | AccessRevocation

MESSAGES: dict[str, type[AnyMessage]] = {
    message.__name__: message
    for message in (Registration, Revision, TitleTransfer, Withdrawal, AccessRequest, AccessGrant, AccessRevocation)
}
"""Every message by the name of its Solidity struct."""
