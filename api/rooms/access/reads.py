"""What the routes read access with."""

from __future__ import annotations

from typing import cast

from registry.node import Node
from registry.rooms.access.protocol import PROTOCOL
from registry.rooms.access.queries import AccessQueries


def queries_of(node: Node) -> AccessQueries:
    """Return the queries over access of a node."""
    return cast("AccessQueries", node.reads[PROTOCOL.name])
