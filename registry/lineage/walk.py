"""Walking the lineage from some versions up to what they come from, or down to what came of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from registry.base.errors import InvalidInput, NotFound
from registry.lineage.graph import Graph, Node
from registry.rooms.datasets.messages import Source

MAX_NODES = 10_000


class Direction(StrEnum):
    """Where to walk."""

    UP = "up"
    """To what they derive from."""
    DOWN = "down"
    """To what derives from them."""
    BOTH = "both"
    """Up, and down; not to other descendants of what they derive from."""


class Reader(Protocol):
    """Where the lineage is read."""

    def nodes(self, versions: Collection[Source]) -> Iterable[Node]:
        """The nodes of those of these versions that are known."""

    def dependents(self, versions: Collection[Source]) -> Iterable[Source]:
        """The versions that name one of these as a source, and the next versions of these."""


def walk(
    reader: Reader,
    roots: Iterable[Source],
    direction: Direction,
    *,
    depth: int | None = None,
    max_nodes: int = MAX_NODES,
) -> Graph:
    """Reads the lineage of some versions, level by level.

    Args:
        reader: Where to read.
        roots: The versions, at least one.
        direction: Where to walk.
        depth: How many steps to walk at most; None: to the end.
        max_nodes: How many versions the graph may have.

    Raises:
        NotFound: A root is not known, or a source of a known version.
        InvalidInput: The graph has more versions than that.
    """
    starts = tuple(dict.fromkeys(roots))
    known: dict[Source, Node] = {}
    _read(reader, starts, known, max_nodes)
    is_cut = False
    steps: list[Callable[[Collection[Source]], Iterable[Source]]] = []
    if direction is not Direction.DOWN:
        steps.append(lambda level: [parent for version in level for parent in known[version].parents])
    if direction is not Direction.UP:
        steps.append(reader.dependents)
    for step in steps:
        seen = set(starts)
        level: Collection[Source] = starts
        walked = 0
        while level := [version for version in dict.fromkeys(step(level)) if version not in seen]:
            if walked == depth:
                is_cut = True
                break
            walked += 1
            _read(reader, level, known, max_nodes)
            seen.update(level)
    return Graph.of(starts, known, is_cut=is_cut)


def _read(reader: Reader, versions: Collection[Source], known: dict[Source, Node], max_nodes: int) -> None:
    wanted = [version for version in versions if version not in known]
    if len(known) + len(wanted) > max_nodes:
        raise InvalidInput(
            f"This lineage has more than {max_nodes:,} versions.", hint="Ask for less with a depth or one direction."
        )
    known.update((node.version, node) for node in reader.nodes(wanted))
    _require(wanted, known)


def _require(wanted: Iterable[Source], known: Mapping[Source, Node]) -> None:
    for version in wanted:
        if version not in known:
            raise NotFound(f"There is no version {version.version} of a dataset {version.dataset_id}.")
