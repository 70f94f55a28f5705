"""The lineage in Graphviz's language.

Source: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.lineage.graph import Graph, Relation
from registry.lineage.label import short, title


def dot(graph: Graph) -> str:
    """The graph as a DOT document; sources stand left of what derives from them."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "digraph lineage {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];'
    for node in graph.nodes:
        look = []
        if node.is_withdrawn:
            look.append("color=firebrick, fontcolor=firebrick")
        elif node.version in graph.affected:
            look.append("color=darkorange")
        if node.version in graph.roots:
            look.append("penwidth=2")
        label = f"label={_quoted(title(node), short(node.version), node.registered_at.strftime('%Y-%m-%d'))}"
        yield f"  {_quoted(str(node.version))} [{', '.join([label, *look])}];"
    for edge in graph.edges:
        look = [' [style=dashed, label="revision"]'] if edge.relation is Relation.REVISION else [""]
        yield f"  {_quoted(str(edge.earlier))} -> {_quoted(str(edge.later))}{look[0]};"
    yield "}"


def _quoted(*lines: str) -> str:
    r"""A quoted string of some lines. In labels a backslash begins an escape, as \N for the node's name."""
    return '"' + r"\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
