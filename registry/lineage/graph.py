"""The graph of versions. Edges lead from a later version to an earlier one: on the chain a source must exist first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.rooms.datasets.messages import Source


class Relation(StrEnum):
    """Why one version comes after another."""

    DERIVATION = "derivation"
    """The later version names the earlier one as a source."""
    REVISION = "revision"
    """The later version is the next version of the same dataset."""


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Node(_Frozen):
    """One version of a dataset."""

    version: Source
    content_root: Bytes32
    name: str | None = Field(description="The name in its metadata; null where the metadata is not known.")
    claimant: Address = Field(description="The owner of the dataset when this version was registered.")
    owner: Address = Field(description="The present owner of the dataset.")
    is_withdrawn: bool = Field(description="Whether the dataset, and with it all its versions, is withdrawn now.")
    registered_at: AwareDatetime
    block_number: Annotated[int, Field(ge=0)]
    sources: tuple[Source, ...]

    @property
    def previous(self) -> Source | None:
        """The previous version of the same dataset; None for the first."""
        number = self.version.version
        return None if number == 1 else Source(dataset_id=self.version.dataset_id, version=number - 1)

    @property
    def parents(self) -> tuple[Source, ...]:
        """The versions that it derives from: its sources, then the previous version."""
        return self.sources if self.previous is None else (*self.sources, self.previous)


class Edge(_Frozen):
    """A relation between two versions: the later one derives from the earlier one, or revises it."""

    later: Source
    earlier: Source
    relation: Relation


@dataclass(frozen=True)
class Graph:
    """A part of the lineage.

    Args:
        roots: The versions whose lineage it is.
        nodes: Every version in it, each after all that it derives from.
        is_cut: Whether versions beyond the requested depth were left out.
    """

    roots: tuple[Source, ...]
    nodes: tuple[Node, ...]
    is_cut: bool = False

    @classmethod
    def of(cls, roots: tuple[Source, ...], nodes: Mapping[Source, Node], *, is_cut: bool = False) -> Self:
        """Return the graph of some nodes.

        Args:
            roots: The versions whose lineage it is.
            nodes: The nodes by version, in any order.
            is_cut: Whether versions beyond the requested depth were left out.

        Raises:
            InvalidInput: The nodes derive from each other in a circle, which no chain can have recorded, or a root is
                missing.
        """
        if missing := [root for root in roots if root not in nodes]:
            raise InvalidInput(f"The lineage of version {missing[0]} does not contain that version.")
        return cls(roots, _in_order(nodes), is_cut)

    @cached_property
    def by_version(self) -> Mapping[Source, Node]:
        """The nodes by their versions."""
        return {node.version: node for node in self.nodes}

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge between two of the nodes."""
        known = self.by_version
        return tuple(
            Edge(
                later=node.version,
                earlier=parent,
                relation=Relation.DERIVATION if parent in node.sources else Relation.REVISION,
            )
            for node in self.nodes
            for parent in dict.fromkeys(node.parents)  # A revision may also name the previous version as a source.
            if parent in known
        )

    @cached_property
    def children(self) -> Mapping[Source, tuple[Edge, ...]]:
        """For each version the edges from what derives from it."""
        incoming: defaultdict[Source, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            incoming[edge.earlier].append(edge)
        return {version: tuple(edges) for version, edges in incoming.items()}

    @cached_property
    def parents(self) -> Mapping[Source, tuple[Edge, ...]]:
        """For each version the edges to what it derives from."""
        outgoing: defaultdict[Source, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            outgoing[edge.later].append(edge)
        return {version: tuple(edges) for version, edges in outgoing.items()}

    @cached_property
    def affected(self) -> frozenset[Source]:
        """The versions that derive, directly or over other versions, from a withdrawn dataset.

        Only the sources that a version names itself count, not those of the version that it revises: a revision
        without the withdrawn source is the remedy.
        """
        affected: set[Source] = set()
        known = self.by_version
        for node in self.nodes:  # Sources come before what derives from them.
            if any(source in affected or (source in known and known[source].is_withdrawn) for source in node.sources):
                affected.add(node.version)
        return frozenset(affected)


class GraphDocument(_Frozen):
    """A graph in JSON."""

    roots: tuple[Source, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    affected: tuple[Source, ...] = Field(description="The versions that derive from a withdrawn dataset.")
    is_cut: bool = Field(description="Whether versions beyond the requested depth were left out.")

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """Return the document of a graph."""
        affected = tuple(node.version for node in graph.nodes if node.version in graph.affected)
        return cls(roots=graph.roots, nodes=graph.nodes, edges=graph.edges, affected=affected, is_cut=graph.is_cut)

    def graph(self) -> Graph:
        """Return the graph of the document. Its edges are computed from the nodes.

        Raises:
            InvalidInput: As Graph.of does.
        """
        return Graph.of(self.roots, {node.version: node for node in self.nodes}, is_cut=self.is_cut)


def _in_order(nodes: Mapping[Source, Node]) -> tuple[Node, ...]:
    """Return the nodes, each after all that it derives from, otherwise ascending by time."""
    unplaced_parents = {
        version: sum(parent in nodes for parent in dict.fromkeys(node.parents)) for version, node in nodes.items()
    }
    dependents: defaultdict[Source, list[Source]] = defaultdict(list)
    for version, node in nodes.items():
        for parent in dict.fromkeys(node.parents):
            dependents[parent].append(version)
    ready = [_time_key(nodes[version]) for version, count in unplaced_parents.items() if not count]
    heapify(ready)
    ordered: list[Node] = []
    while ready:
        *_, dataset_id, number = heappop(ready)
        version = Source(dataset_id=dataset_id, version=number)
        ordered.append(nodes[version])
        for dependent in dependents[version]:
            unplaced_parents[dependent] -= 1
            if not unplaced_parents[dependent]:
                heappush(ready, _time_key(nodes[dependent]))
    if len(ordered) != len(nodes):
        raise InvalidInput("These versions derive from each other in a circle, which no chain can have recorded.")
    return tuple(ordered)


def _time_key(node: Node) -> tuple[int, DatasetId, int]:
    return node.block_number, node.version.dataset_id, node.version.version
