"""The graph of versions. Edges lead from the later to the earlier, as on the chain, where a source must exist first."""

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
    """It names the other as a source."""
    REVISION = "revision"
    """It is the next version of the same dataset."""


class _Frozen(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Node(_Frozen):
    """One version of a dataset."""

    version: Source
    content_root: Bytes32
    name: str | None = Field(description="From its metadata, where that is known.")
    claimant: Address = Field(description="Who owned the dataset when this version was registered.")
    owner: Address = Field(description="Who owns the dataset now.")
    is_withdrawn: bool = Field(description="Whether the dataset is withdrawn now, and so all of its versions.")
    registered_at: AwareDatetime
    block_number: Annotated[int, Field(ge=0)]
    sources: tuple[Source, ...]

    @property
    def previous(self) -> Source | None:
        """The version before it of the same dataset."""
        number = self.version.version
        return None if number == 1 else Source(dataset_id=self.version.dataset_id, version=number - 1)

    @property
    def parents(self) -> tuple[Source, ...]:
        """All that it derives from: its sources, then the version before it."""
        return self.sources if self.previous is None else (*self.sources, self.previous)


class Edge(_Frozen):
    """That one version derives from another, or is a revision of it."""

    later: Source
    earlier: Source
    relation: Relation


@dataclass(frozen=True)
class Graph:
    """A part of the lineage.

    Args:
        roots: The versions that were asked about.
        nodes: Every version in it, each after all that it derives from.
        is_cut: Whether there is more beyond it, left out because of the depth that was asked for.
    """

    roots: tuple[Source, ...]
    nodes: tuple[Node, ...]
    is_cut: bool = False

    @classmethod
    def of(cls, roots: tuple[Source, ...], nodes: Mapping[Source, Node], *, is_cut: bool = False) -> Self:
        """The graph of nodes in any order.

        Raises:
            InvalidInput: They derive from each other in a circle, which no chain can have recorded, or a root is not
                among them.
        """
        if missing := [root for root in roots if root not in nodes]:
            raise InvalidInput(f"The lineage lacks the version {missing[0]} that it is of.")
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
            for parent in dict.fromkeys(node.parents)  # A revision may name the version before it as a source, too.
            if parent in known
        )

    @cached_property
    def children(self) -> Mapping[Source, tuple[Edge, ...]]:
        """The edges that lead to a version: what comes of it."""
        found: defaultdict[Source, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            found[edge.earlier].append(edge)
        return {version: tuple(edges) for version, edges in found.items()}

    @cached_property
    def parents(self) -> Mapping[Source, tuple[Edge, ...]]:
        """The edges that lead from a version: what it comes from."""
        found: defaultdict[Source, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            found[edge.later].append(edge)
        return {version: tuple(edges) for version, edges in found.items()}

    @cached_property
    def affected(self) -> frozenset[Source]:
        """The versions that derive, over however many steps, from a withdrawn dataset.

        A revision counts by the sources that it names itself: to name them without the withdrawn one is the remedy.
        """
        found: set[Source] = set()
        known = self.by_version
        for node in self.nodes:  # Sources stand before what derives from them.
            if any(source in found or (source in known and known[source].is_withdrawn) for source in node.sources):
                found.add(node.version)
        return frozenset(found)


class GraphDocument(_Frozen):
    """A graph in JSON."""

    roots: tuple[Source, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    affected: tuple[Source, ...] = Field(description="The versions that derive from a withdrawn dataset.")
    is_cut: bool = Field(description="Whether there is more beyond the depth that was asked for.")

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """The document of a graph."""
        affected = tuple(node.version for node in graph.nodes if node.version in graph.affected)
        return cls(roots=graph.roots, nodes=graph.nodes, edges=graph.edges, affected=affected, is_cut=graph.is_cut)

    def graph(self) -> Graph:
        """The graph of the document; its edges are taken from the nodes.

        Raises:
            InvalidInput: As Graph.of does.
        """
        return Graph.of(self.roots, {node.version: node for node in self.nodes}, is_cut=self.is_cut)


def _in_order(nodes: Mapping[Source, Node]) -> tuple[Node, ...]:
    """The nodes, each after all that it derives from, and otherwise by time."""
    waiting = {
        version: sum(parent in nodes for parent in dict.fromkeys(node.parents)) for version, node in nodes.items()
    }
    dependents: defaultdict[Source, list[Source]] = defaultdict(list)
    for version, node in nodes.items():
        for parent in dict.fromkeys(node.parents):
            dependents[parent].append(version)
    ready = [_time_key(nodes[version]) for version, count in waiting.items() if not count]
    heapify(ready)
    ordered: list[Node] = []
    while ready:
        *_, dataset_id, number = heappop(ready)
        version = Source(dataset_id=dataset_id, version=number)
        ordered.append(nodes[version])
        for dependent in dependents[version]:
            waiting[dependent] -= 1
            if not waiting[dependent]:
                heappush(ready, _time_key(nodes[dependent]))
    if len(ordered) != len(nodes):
        raise InvalidInput("These versions derive from each other in a circle, which no chain can have recorded.")
    return tuple(ordered)


def _time_key(node: Node) -> tuple[int, DatasetId, int]:
    return node.block_number, node.version.dataset_id, node.version.version
