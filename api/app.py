"""The gateway as an ASGI app."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI

from api import front_door
from api.rooms.catalogue import GATEWAY_ROOMS
from api.rooms.room import GatewayRoom
from api.routes import checkpoints, deployment, events, operations, receipts, reference, rpc, verify_page
from registry.metrics import HttpMetrics
from registry.node import Node, Role

DESCRIPTION: Final = """A blockchain-based trusted data registry.

Writes are signed by their owners and answered with a receipt; acknowledged writes are never lost. Reads state the
block that they are as of. The gateway need not be trusted: `/rpc` gives access to the chain, and proofs verify offline.
"""

TAGS: Final = {
    "writes": "Signed messages in, receipts out.",
    "events": "Events, for programs that follow the registry.",
    "chain": "Direct access to the chain.",
    "operations": "Health and measurements.",
}
"""The groups of routes that belong to no room."""


def create_app(node: Node, rooms: Sequence[GatewayRoom] = GATEWAY_ROOMS) -> FastAPI:
    """Return the app for a node. A process without the gateway's role only reports its own state.

    Args:
        node: The open node.
        rooms: The rooms that it serves over HTTP.
    """
    app = bare_app(rooms)
    if Role.GATEWAY in node.role.parts:
        include_gateway(app, rooms)  # First, because routes are tried in order and these are the most frequent.
    include_operations(app)
    app.state.node = node
    innermost = [layer for room in rooms for layer in room.innermost(node)] if Role.GATEWAY in node.role.parts else []
    front_door.install(app, HttpMetrics(node.metrics), innermost)
    return app


def bare_app(rooms: Sequence[GatewayRoom] = GATEWAY_ROOMS) -> FastAPI:
    """Return an app without routes."""
    tags = {name: text for room in rooms for name, text in room.tags.items()} | TAGS
    app = FastAPI(
        title="Trusted Data Registry",
        description=DESCRIPTION,
        version=version("trusted-data-registry"),
        openapi_tags=[{"name": name, "description": text} for name, text in tags.items()],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"auto_configure": False, "tracing": False},
    )
    app.state.rooms = tuple(rooms)
    return app


def include_operations(app: FastAPI) -> None:
    """Add the routes that every process of a node has."""
    app.include_router(operations.router)
    app.include_router(deployment.router)


def include_gateway(app: FastAPI, rooms: Sequence[GatewayRoom] = GATEWAY_ROOMS) -> None:
    """Add the routes of the rooms, and those of the gateway itself."""
    for room in rooms:
        for router in room.routers:
            app.include_router(router)
    app.include_router(checkpoints.router)
    app.include_router(receipts.router)
    app.include_router(events.router)
    app.include_router(rpc.router)
    app.include_router(reference.router)
    app.include_router(verify_page.front)
    app.include_router(verify_page.router)
