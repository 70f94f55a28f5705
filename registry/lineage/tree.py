"""Write a lineage as an indented tree of text lines. Each version is shown in full once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from registry.lineage.graph import Edge, Graph, Node, Relation
from registry.lineage.label import short, title
from registry.rooms.datasets.messages import Source

MAX_LEVELS = 40


def ancestors(graph: Graph) -> Iterator[str]:
    """Yield the lines of what the roots derive from. A version's origins are indented below it."""
    inner = {edge.earlier for root in graph.roots for edge in graph.parents.get(root, ())}
    yield from _lines(graph, [root for root in graph.roots if root not in inner], graph.parents, up=True)


def descendants(graph: Graph) -> Iterator[str]:
    """Yield the lines of what derives from the roots. A version's descendants are indented below it."""
    inner = {edge.later for root in graph.roots for edge in graph.children.get(root, ())}
    yield from _lines(graph, [root for root in graph.roots if root not in inner], graph.children, up=False)


def describe(graph: Graph, node: Node) -> str:
    """Return a version on one line: name, short id, date and warnings."""
    words = [title(node)]
    if words[0] != short(node.version):
        words.append(short(node.version))
    words.append(node.registered_at.strftime("%Y-%m-%d"))
    if node.is_withdrawn:
        words.append("[withdrawn]")
    if node.version in graph.affected:
        words.append("[derives from withdrawn]")
    return "  ".join(words)


def _lines(
    graph: Graph, starts: Sequence[Source], following: Mapping[Source, Sequence[Edge]], *, up: bool
) -> Iterator[str]:
    shown: set[Source] = set()
    # Each entry: the version, its relation to the line above, the prefix of its line and of those below, its level.
    stack: list[tuple[Source, str, str, str, int]] = [(start, "", "", "", 0) for start in reversed(starts)]
    while stack:
        version, relation, before, below, level = stack.pop()
        node = graph.by_version[version]
        edges = following.get(version, ())
        if version in shown:
            yield f"{before}{relation}{title(node)}  {short(version)}{'  (see above)' if edges else ''}"
            continue
        shown.add(version)
        yield f"{before}{relation}{describe(graph, node)}"
        if edges and level == MAX_LEVELS:
            yield f"{below}└── …"
            continue
        for position, edge in reversed(list(enumerate(edges))):
            branch, gap = ("└── ", "    ") if position == len(edges) - 1 else ("├── ", "│   ")
            word = "" if edge.relation is Relation.DERIVATION else "revises " if up else "revised by "
            stack.append((edge.earlier if up else edge.later, word, below + branch, below + gap, level + 1))
