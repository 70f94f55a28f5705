"""Write a lineage in Graphviz's DOT language.

Source: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.lineage.graph import Graph, Relation
from registry.lineage.label import short, title


def dot(graph: Graph) -> str:
    """Return the graph as a DOT document, with sources to the left of what derives from them."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "digraph lineage {"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];'
    for node in graph.nodes:
        attributes = []
        if node.is_withdrawn:
            attributes.append("color=firebrick, fontcolor=firebrick")
        elif node.version in graph.affected:
            attributes.append("color=darkorange")
        if node.version in graph.roots:
            attributes.append("penwidth=2")
        label = f"label={_quoted(title(node), short(node.version), node.registered_at.strftime('%Y-%m-%d'))}"
        yield f"  {_quoted(str(node.version))} [{', '.join([label, *attributes])}];"
    for edge in graph.edges:
        style = ' [style=dashed, label="revision"]' if edge.relation is Relation.REVISION else ""
        yield f"  {_quoted(str(edge.earlier))} -> {_quoted(str(edge.later))}{style};"
    yield "}"


def _quoted(*lines: str) -> str:
    r"""Return lines as one quoted string. In labels a backslash begins an escape, such as \N for the node's name."""
    return '"' + r"\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
