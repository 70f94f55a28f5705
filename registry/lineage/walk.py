"""Walk the lineage of versions: up to what they derive from, or down to what derives from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from registry.base.errors import InvalidInput, NotFound
from registry.lineage.graph import Graph, Node
from registry.rooms.datasets.messages import Source

MAX_NODES = 10_000


class Direction(StrEnum):
    """The direction of a walk."""

    UP = "up"
    """To what the versions derive from."""
    DOWN = "down"
    """To what derives from the versions."""
    BOTH = "both"
    """Up and down, but not to other descendants of what the versions derive from."""


class Reader(Protocol):
    """A store of versions and their sources."""

    def nodes(self, versions: Collection[Source]) -> Iterable[Node]:
        """Return the nodes of the given versions; unknown ones are left out."""

    def dependents(self, versions: Collection[Source]) -> Iterable[Source]:
        """Return the versions that name one of the given ones as a source, and the next versions of the given ones."""


def walk(
    reader: Reader,
    roots: Iterable[Source],
    direction: Direction,
    *,
    depth: int | None = None,
    max_nodes: int = MAX_NODES,
) -> Graph:
    """Read the lineage of versions, level by level.

    Args:
        reader: The store to read from.
        roots: The versions, at least one.
        direction: The direction of the walk.
        depth: The maximum number of steps; None for no limit.
        max_nodes: The maximum number of versions in the graph.

    Returns:
        The graph of all versions that were reached.

    Raises:
        NotFound: A root, or a source of a known version, is not known.
        InvalidInput: The graph has more than `max_nodes` versions.
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
    missing = [version for version in versions if version not in known]
    if len(known) + len(missing) > max_nodes:
        raise InvalidInput(
            f"This lineage has more than {max_nodes:,} versions.", hint="Limit it with a depth or to one direction."
        )
    known.update((node.version, node) for node in reader.nodes(missing))
    _require(missing, known)


def _require(versions: Iterable[Source], known: Mapping[Source, Node]) -> None:
    for version in versions:
        if version not in known:
            raise NotFound(f"There is no version {version.version} of the dataset {version.dataset_id}.")
