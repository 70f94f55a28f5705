"""The gateway as an ASGI app."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from fastapi import FastAPI

from api import problems
from api.head import HeadAsGet
from api.middleware import Surroundings
from api.routes import (
    access,
    catalogue,
    certificate,
    checkpoints,
    claims,
    contexts,
    datasets,
    deployment,
    evidence,
    lineage,
    operations,
    publications,
    receipts,
    reference,
    rpc,
    submissions,
    verify_page,
)
from api.shortcut import DatasetShortcut
from registry.metrics import HttpMetrics
from registry.node import Node, Role

DESCRIPTION: Final = """A blockchain-based trusted data registry.

Writes are signed by their owners and answered with a receipt; what is acknowledged is never lost. Reads say at which
block they are true. Nothing here needs to be trusted: `/rpc` shows the chain itself, and proofs verify offline.
"""

TAGS: Final = [
    {"name": "datasets", "description": "What is registered, its history, and who may use it."},
    {"name": "provenance", "description": "Where datasets come from, and descriptions of them in others' formats."},
    {"name": "writes", "description": "Signed messages in, receipts out."},
    {"name": "documents", "description": "Which documents owners made public, and whether they take requests."},
    {"name": "chain", "description": "The chain itself, past the gateway."},
    {"name": "operations", "description": "Health and measurements."},
]


def create_app(node: Node) -> FastAPI:
    """The app for a node. A process that is no gateway answers about its own state only.

    Args:
        node: The node, opened.
    """
    app = bare_app()
    if Role.GATEWAY in node.role.parts:
        include_gateway(app)  # First: routes are tried in their order, and these are asked for most.
    include_operations(app)
    app.state.node = node
    if Role.GATEWAY in node.role.parts and node.hot is not None:
        app.add_middleware(DatasetShortcut, reads=node.hot)
    app.add_middleware(Surroundings, metrics=HttpMetrics(node.metrics))
    app.add_middleware(HeadAsGet)
    return app


def bare_app() -> FastAPI:
    """An app without routes, on which every error is a problem."""
    app = FastAPI(
        title="Trusted Data Registry",
        description=DESCRIPTION,
        version=version("trusted-data-registry"),
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"auto_configure": False, "tracing": False},
    )
    problems.install(app)
    return app


def include_operations(app: FastAPI) -> None:
    """Add the routes that every process of a node has."""
    app.include_router(operations.router)
    app.include_router(deployment.router)


def include_gateway(app: FastAPI) -> None:
    """Adds the gateway's routes: a new room is one more line."""
    app.include_router(datasets.router)
    app.include_router(lineage.router)
    app.include_router(certificate.router)
    app.include_router(contexts.router)
    app.include_router(catalogue.router)
    app.include_router(evidence.router)
    app.include_router(checkpoints.router)
    app.include_router(access.router)
    app.include_router(claims.router)
    app.include_router(submissions.publications)
    app.include_router(submissions.others)
    app.include_router(publications.publications)
    app.include_router(publications.others)
    app.include_router(receipts.router)
    app.include_router(rpc.router)
    app.include_router(reference.router)
    app.include_router(verify_page.front)
    app.include_router(verify_page.router)
