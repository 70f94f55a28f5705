"""The queries that the routes of datasets use."""

from __future__ import annotations

from typing import cast

from registry.node import Node
from registry.rooms.datasets.protocol import PROTOCOL
from registry.rooms.datasets.queries import DatasetQueries
from registry.rooms.datasets.reads import DatasetReads


def reads_of(node: Node) -> DatasetReads:
    """Return a node's reads of datasets."""
    return cast("DatasetReads", node.reads[PROTOCOL.name])


def queries_of(node: Node) -> DatasetQueries:
    """Return a node's queries over datasets."""
    return reads_of(node).queries
