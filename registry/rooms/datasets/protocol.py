"""The offline half of the room of datasets: titles, versions, sources, and the head that commits to them."""

from __future__ import annotations

from registry.rooms.datasets.errors import REFUSALS
from registry.rooms.datasets.events import DATASET_REGISTRY
from registry.rooms.datasets.matching import MATCHING
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.proof import PROOF
from registry.rooms.protocol import RoomProtocol

PROTOCOL = RoomProtocol(
    name="datasets",
    contracts=(DATASET_REGISTRY,),
    messages=(Registration, Revision, TitleTransfer, Withdrawal),
    matching=MATCHING,
    refusals=REFUSALS,
    proof=PROOF,
)
