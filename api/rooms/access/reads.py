"""The queries that the routes of access use."""

from __future__ import annotations

from typing import cast

from registry.node import Node
from registry.rooms.access.protocol import PROTOCOL
from registry.rooms.access.queries import AccessQueries


def queries_of(node: Node) -> AccessQueries:
    """Return a node's queries over access."""
    return cast("AccessQueries", node.reads[PROTOCOL.name])
