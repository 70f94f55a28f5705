"""Draw a lineage as SVG: sources on the left, what derives from them on the right. The picture loads no other file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from registry.lineage.graph import Edge, Graph, Node, Relation
from registry.lineage.label import short, shortened, title
from registry.rooms.datasets.messages import Source

_BOX_WIDTH: Final = 290
_BOX_HEIGHT: Final = 58
_COLUMN: Final = 360
_ROW: Final = 82
_MARGIN: Final = 24
_NAME_COLUMNS: Final = 34
_SWEEPS: Final = 4

_STYLE: Final = """
  svg { font-family: system-ui, "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
  .box { fill: #ffffff; stroke: #94a3b8; stroke-width: 1.2; }
  .root .box { stroke: #1d4ed8; stroke-width: 2.4; }
  .withdrawn .box { fill: #fef2f2; stroke: #b91c1c; }
  .affected .box { fill: #fffbeb; stroke: #b45309; }
  .name { font-size: 14px; font-weight: 600; fill: #0f172a; }
  .detail { font-size: 11px; fill: #475569; }
  .withdrawn .name { text-decoration: line-through; }
  .withdrawn .detail { fill: #b91c1c; }
  .affected .detail { fill: #b45309; }
  .edge { fill: none; stroke: #64748b; stroke-width: 1.4; }
  .revision { stroke-dasharray: 5 4; stroke: #94a3b8; }
"""

Place = tuple[int, int]


def svg(graph: Graph) -> str:
    """Return the graph as an SVG document."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    places = _places(graph)
    width = max(x for x, _ in places.values()) + _BOX_WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _BOX_HEIGHT + _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' role="img" aria-label="Lineage">'
    )
    yield f"<style>{_STYLE}</style>"
    yield (
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#64748b"/></marker></defs>'
    )
    yield f'<rect width="{width}" height="{height}" fill="#f8fafc"/>'
    for edge in graph.edges:
        yield _edge(edge, places)
    for node in graph.nodes:
        yield _box(graph, node, places[node.version])
    yield "</svg>"


def _edge(edge: Edge, places: Mapping[Source, Place]) -> str:
    (from_x, from_y), (to_x, to_y) = places[edge.earlier], places[edge.later]
    from_x, from_y, to_y = from_x + _BOX_WIDTH, from_y + _BOX_HEIGHT // 2, to_y + _BOX_HEIGHT // 2
    bend = max(40, (to_x - from_x) // 2)
    kind = "edge revision" if edge.relation is Relation.REVISION else "edge"
    path = f"M{from_x} {from_y} C{from_x + bend} {from_y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path class="{kind}" marker-end="url(#end)" d="{path}"/>'


def _box(graph: Graph, node: Node, place: Place) -> str:
    x, y = place
    status = "withdrawn" if node.is_withdrawn else "affected" if node.version in graph.affected else "active"
    kinds = f"root {status}" if node.version in graph.roots else status
    note = {"withdrawn": " · withdrawn", "affected": " · source withdrawn", "active": ""}[status]
    detail = f"{short(node.version)} · {node.registered_at.strftime('%Y-%m-%d')}{note}"
    hover = f"{title(node)}\n{node.version}\n{node.claimant}"
    return (
        f'<g class="{kinds}"><title>{escape(hover)}</title>'
        f'<rect class="box" x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="8"/>'
        f'<text class="name" x="{x + 12}" y="{y + 25}">{escape(shortened(title(node), _NAME_COLUMNS))}</text>'
        f'<text class="detail" x="{x + 12}" y="{y + 44}">{escape(detail)}</text></g>'
    )


def _places(graph: Graph) -> dict[Source, Place]:
    """Return the position of each version's box.

    Its column is its longest distance from an origin; its row is close to the rows of its neighbours.
    """
    column: dict[Source, int] = {}
    for node in graph.nodes:  # Origins come first.
        column[node.version] = max(
            (column[edge.earlier] + 1 for edge in graph.parents.get(node.version, ())), default=0
        )
    columns: defaultdict[int, list[Source]] = defaultdict(list)
    for version, number in column.items():
        columns[number].append(version)
    row = {version: float(position) for versions in columns.values() for position, version in enumerate(versions)}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for number in sorted(columns, reverse=not forward):
            columns[number].sort(key=lambda version: _middle(graph, version, row, forward=forward))
            row.update((version, float(position)) for position, version in enumerate(columns[number]))
    tallest = max(map(len, columns.values()))
    return {
        version: (
            _MARGIN + number * _COLUMN,
            _MARGIN + position * _ROW + (tallest - len(columns[number])) * _ROW // 2,
        )
        for number in sorted(columns)
        for position, version in enumerate(columns[number])
    }


def _middle(graph: Graph, version: Source, row: Mapping[Source, float], *, forward: bool) -> float:
    """Return the mean row of a version's neighbours on one side; its own row where it has none."""
    edges = (graph.parents if forward else graph.children).get(version, ())
    rows = [row[edge.earlier if forward else edge.later] for edge in edges]
    return sum(rows) / len(rows) if rows else row[version]
