"""The offline half of the room of access: requests, grants and revocations."""

from __future__ import annotations

from registry.rooms.access.errors import REFUSALS
from registry.rooms.access.events import ACCESS_GRANTS
from registry.rooms.access.matching import MATCHING
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.access.proof import PROOF
from registry.rooms.protocol import RoomProtocol

PROTOCOL = RoomProtocol(
    name="access",
    contracts=(ACCESS_GRANTS,),
    messages=(AccessRequest, AccessGrant, AccessRevocation),
    matching=MATCHING,
    refusals=REFUSALS,
    proof=PROOF,
)
