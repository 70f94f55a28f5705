"""Lineage: the exact versions of datasets that a version derives from, and those that derive from it."""

from registry.lineage.graph import Edge, Graph, Node, Relation
from registry.lineage.walk import MAX_NODES, Direction, Reader, walk

__all__ = ["MAX_NODES", "Direction", "Edge", "Graph", "Node", "Reader", "Relation", "walk"]
