"""What the routes read datasets with."""

from __future__ import annotations

from typing import cast

from registry.node import Node
from registry.rooms.datasets.protocol import PROTOCOL
from registry.rooms.datasets.queries import DatasetQueries
from registry.rooms.datasets.reads import DatasetReads


def reads_of(node: Node) -> DatasetReads:
    """Return what a node reads datasets with."""
    return cast("DatasetReads", node.reads[PROTOCOL.name])


def queries_of(node: Node) -> DatasetQueries:
    """Return the queries over datasets of a node."""
    return reads_of(node).queries
