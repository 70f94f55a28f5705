"""The room of datasets, as the gateway serves it."""

from __future__ import annotations

from typing import Final

from api.rooms.datasets import (
    certificate,
    claims,
    contexts,
    descriptions,
    evidence,
    lineage,
    publications,
    routes,
    shortcut,
)
from api.rooms.room import GatewayRoom
from registry.rooms.datasets.protocol import PROTOCOL
from registry.rooms.datasets.statements import Publication, Retraction

ROOM: Final = GatewayRoom(
    PROTOCOL.name,
    routers=(
        routes.reads,
        lineage.router,
        certificate.router,
        contexts.router,
        descriptions.router,
        evidence.router,
        claims.router,
        routes.versions_in,
        routes.writes,
        publications.documents_in,
        publications.router,
    ),
    signed=(*PROTOCOL.messages, Publication, Retraction),
    innermost=shortcut.innermost,
    tags={
        "datasets": "Registered datasets, their history, and access to them.",
        "provenance": "The lineage of datasets, and descriptions in common formats.",
        "documents": "Documents that owners published, and policies on requests.",
    },
)
