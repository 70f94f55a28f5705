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
        "datasets": "What is registered, its history, and who may use it.",
        "provenance": "Where datasets come from, and descriptions of them in others' formats.",
        "documents": "Which documents owners made public, and whether they take requests.",
    },
)
